#!/usr/bin/env bash
# Sees to the images that the Dockerfile begins with. Where none can be pulled they are made under the same names, of
# Debian's packages and npm's Node; that needs root and a Debian machine, and says nothing about the real ones' size.
#
# Prints what the build must be told: options of `docker build`, one a line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

node_image=$(sed -n 's/^FROM \(node:\S*\) AS build$/\1/p' Dockerfile)
system_image=$(sed -n 's/^FROM \(debian:\S*\)$/\1/p' Dockerfile)
suite=${system_image#debian:}
suite=${suite%-slim}

# What is made here has this label, so that nobody takes it for the real one.
label=serai.stand-in

there() { docker image inspect "$1" >/dev/null 2>&1 || timeout 90 docker pull -q "$1" >/dev/null 2>&1; }

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

make_system_image() {
  echo "making $system_image of Debian's packages" >&2
  command -v mmdebstrap >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >&2
  mmdebstrap --quiet --variant=apt --include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin' \
    "$suite" "$work/system.tar" >&2
  docker import --change "LABEL $label=true" --change 'CMD ["bash"]' "$work/system.tar" "$system_image" >&2
}

make_node_image() {
  echo "making $node_image of npm's Node" >&2
  local version=${node_image#node:} context=$work/node
  version=${version%%-*}
  mkdir -p "$context/lib"
  npm pack --silent --pack-destination "$work" "node-linux-$(node -p process.arch)@$version" >&2
  tar -xzf "$work"/node-linux-*.tgz -C "$work"
  mv "$work/package/bin" "$context/bin"
  # The npm of this machine: npm's folder is the one above that of its command.
  cp -rL "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")" "$context/lib/npm"
  # Whose certificates are believed here is believed there too, for a registry of one's own.
  cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$context/ca-certificates.crt"
  docker build -q -t "$node_image" --label "$label=true" -f - "$context" >&2 <<DOCKERFILE
FROM $system_image
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node
COPY bin/node /usr/local/bin/node
COPY lib/npm /usr/local/lib/node_modules/npm
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
CMD ["node"]
DOCKERFILE
}

if ! there "$system_image" || ! there "$node_image"; then
  work=$(mktemp -d)
  there "$system_image" || make_system_image
  there "$node_image" || make_node_image
fi

if [ -n "$(docker image inspect -f "{{index .Config.Labels \"$label\"}}" "$node_image")" ]; then
  # The network of the machine, and its registry.
  printf '%s\n' --network=host \
    --build-arg=NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    "--build-arg=NPM_CONFIG_REGISTRY=$(npm config get registry)"
fi
