#!/usr/bin/env bash
# Runs the tests of the image where a Docker engine answers, or can be started: by root, where `dockerd` is installed. An engine
# that is started here has nothing in common with one of the machine, and is gone at the end. Says so and does nothing where
# there is neither, or where the images that it begins with cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() {
  echo "The image is not tested: $1."
  exit 0
}

end_engine() {
  docker ps -q 2>/dev/null | xargs -r docker rm -fv >/dev/null 2>&1 || true
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  umount "$work"/run/netns/* 2>/dev/null || true
  rm -rf "$work" || true
}

engine_of_its_own() {
  command -v docker >/dev/null || skip "there is no docker command"
  command -v dockerd >/dev/null || skip "no Docker engine answers and none is installed"
  [ "$(id -u)" = 0 ] || skip "no Docker engine answers, and starting one takes root"
  work=$(mktemp -d)
  export DOCKER_HOST=unix://$work/socket
  dockerd --data-root "$work/data" --exec-root "$work/run" --pidfile "$work/pid" -H "$DOCKER_HOST" \
    >"$work/log" 2>&1 &
  engine=$!
  trap end_engine EXIT
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return 0
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.5
  done
  skip "a Docker engine does not start here ($(grep -aoE 'failed to start.*|level=fatal.*' "$work/log" | tail -n 1))"
}

docker info >/dev/null 2>&1 || engine_of_its_own
test/container/base-images.sh >/dev/null || skip "its base images can neither be pulled nor made"
npm run --silent test:container
