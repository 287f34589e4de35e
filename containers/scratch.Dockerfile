# The container at its best: a static binary in an empty image.
# Context: the binary, named as the service. The entry point has one name for all services, since the exec form, which
# needs no shell, takes no arguments of the build.
FROM scratch
LABEL tare.kind=scratch
ARG SERVICE
COPY ${SERVICE} /service
USER 65534:65534
ENTRYPOINT ["/service"]
