# The server as one image; docs/container.md tells how to run it.

FROM node:24.21.0-bookworm-slim AS build
# For a registry of your own: its certificates, a file of this base image. npm's own variables work too.
ARG NODE_EXTRA_CA_CERTS
ARG NPM_CONFIG_REGISTRY
WORKDIR /serai
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# The system that Node's image is made from, with its Node alone: npm, yarn and headers are 70 MB that a server does not need.
FROM debian:bookworm-slim
ARG VERSION=0.1.0
ARG REVISION
LABEL org.opencontainers.image.title="Serai" \
      org.opencontainers.image.description="A self-hosted server for the NOMAD v1 API" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /usr/local/bin/node /usr/local/bin/
COPY docker/serai docker/warm-up.mjs /usr/local/bin/
COPY fixtures/corpus /serai/fixtures/corpus
COPY fixtures/guide /serai/fixtures/guide
COPY LICENSE /serai/
COPY --from=build /serai/dist /serai/dist
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node \
 && mkdir /data /serai/compiled && chown node:node /data /serai/compiled
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/serai/compiled \
    SERAI_DATA_DIR=/data \
    SERAI_HOST=0.0.0.0 \
    SERAI_SHUTDOWN_TIMEOUT=8000
USER node
WORKDIR /data
# What Node compiles while it starts is kept in the image; it is found again by this user only.
RUN node /usr/local/bin/warm-up.mjs
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "require('node:http').get('http://127.0.0.1:8000/-/ready', r => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["serai"]
CMD ["serve"]
