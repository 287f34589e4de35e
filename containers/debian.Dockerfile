# The container as it is usually shipped: a binary that links glibc, on a slim Debian.
# Context: the binary, named as the service.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
LABEL tare.kind=debian
ARG SERVICE
COPY ${SERVICE} /service
USER 65534:65534
ENTRYPOINT ["/service"]
