# syntax=docker/dockerfile:1
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /serai
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="Serai" \
      org.opencontainers.image.description="A self-hosted server for the NOMAD v1 API" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /serai
COPY --from=packages /serai/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY src ./src
COPY fixtures ./fixtures
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production SERAI_DATA_DIR=/data SERAI_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/-/health').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bin/serai.js", "serve"]
