# Debian, not Alpine: the prebuilt binding of LevelDB needs glibc.
FROM node:20-bookworm-slim AS build
WORKDIR /holdfast
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY proto proto
COPY src src
COPY bench bench
RUN node_modules/.bin/tsc -p tsconfig.json && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /holdfast
COPY --from=build --chown=root:root /holdfast/package.json ./
COPY --from=build --chown=root:root /holdfast/node_modules node_modules
COPY --from=build --chown=root:root /holdfast/proto proto
COPY --from=build --chown=root:root /holdfast/dist/src dist/src
RUN mkdir /data && chown node:node /data
# For modules of machines anywhere in the image: `holdfast` and `zod` are this very copy.
RUN mkdir /node_modules && ln -s /holdfast /node_modules/holdfast && ln -s /holdfast/node_modules/zod /node_modules/zod
USER node
VOLUME /data
EXPOSE 4600
# Healthy while the node in HOLDFAST_ENDPOINTS answers and its cluster serves: a cluster that is degraded (exit code 5) is no reason to
# restart one of its nodes, one that does not serve (6) or a node that does not answer (3) is for whoever watches.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["sh", "-c", "node dist/src/cli/main.js status >/dev/null 2>&1; code=$?; [ $code -eq 0 ] || [ $code -eq 5 ]"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["--help"]
