# The image: the single binary on distroless, as nobody in particular, with one volume for its data.
FROM oven/bun:1.4.5-debian AS build
WORKDIR /src
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile
COPY . .
RUN bun run build && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/dist/latchkey /usr/local/bin/latchkey
COPY --from=build --chown=nonroot:nonroot /data /data
# The database library would write its own lines between ours.
ENV LATCHKEY_DATA_DIR=/data RUST_LOG=off
# /tmp too, so that a read-only root works: the database's native part is unpacked there when it starts.
VOLUME ["/data", "/tmp"]
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["/usr/local/bin/latchkey", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/latchkey"]
