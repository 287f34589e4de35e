# The Wasm host and a component compiled ahead in an empty image, the way clusters ship Wasm today.
# Context: the static host without the compiler, and the component, named as the service.
# The host is a layer of its own, below the component: services share it. Arguments of the container say what to serve:
# --service NAME=/service.cwasm@ADDRESS.
FROM scratch
LABEL tare.kind=wasm
ARG HOST=tare-host-wasmtime
COPY ${HOST} /host
ARG SERVICE
COPY ${SERVICE}.cwasm /service.cwasm
USER 65534:65534
ENTRYPOINT ["/host", "serve"]
