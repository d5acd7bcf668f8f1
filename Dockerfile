# One image for both services; the compose files choose which of them a container runs.
FROM node:24-slim

ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data MALLOC_ARENA_MAX=1
WORKDIR /app

# A new volume gets the owner of the folder that it is mounted on.
RUN mkdir /data && chown node:node /data
VOLUME /data

# Before the sources, so that a change of a source does not install everything again.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

COPY libs libs
COPY services services
COPY cli cli
USER node

# The flags and MALLOC_ARENA_MAX are those of libs/service_common/process_settings.ts, which gives the reasons.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=20"]
