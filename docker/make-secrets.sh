#!/bin/sh
# Makes the secrets of the cluster profile in docker-compose.yml: files in secrets/, those that are there already stay.
# The folder is open to its owner only; the files in it to everybody, since the users in the containers have other numbers.
set -eu
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 700 secrets
cd secrets

random() { head -c 36 /dev/urandom | base64 | tr '+/' '-_'; }

# keep NAME: writes what comes in, unless the file is there.
keep() {
  if [ -s "$1" ]; then
    cat >/dev/null
  else
    cat >"$1"
    chmod 444 "$1"
    echo "made secrets/$1"
  fi
}

random | keep api_secret
random | keep mongodb_password
random | keep elasticsearch_password
random | keep redis_password
head -c 756 /dev/urandom | base64 | keep mongodb_key

echo "mongodb://serai:$(cat mongodb_password)@mongodb:27017/?authSource=admin&replicaSet=serai" | keep mongodb_url
echo "http://elastic:$(cat elasticsearch_password)@elasticsearch:9200" | keep elasticsearch_url
echo "redis://:$(cat redis_password)@redis:6379" | keep redis_url
