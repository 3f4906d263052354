# The image of mill-operator and mill-gateway: docs/images.md.
#
# The recipe in hack/images/mill decides what is in it, and builds the same image without Docker.

# Debian 12, for amd64 and arm64, by digest. Nothing of it is in the image, but it runs what makes the image.
ARG BASE=debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171
FROM ${BASE} AS build
# Certificates of authorities that the build shall trust as well, as PEM: those of a proxy that opens TLS.
ARG CA_CERTIFICATES=""
ENV PIP_CERT="/etc/ssl/certs/ca-certificates.crt" \
    SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"
COPY hack/locked/uv.txt /uv.txt
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates debian-archive-keyring python3 python3-venv \
    && if [ -n "${CA_CERTIFICATES}" ]; then \
        echo "${CA_CERTIFICATES}" > /usr/local/share/ca-certificates/given.crt && update-ca-certificates; \
    fi \
    && python3 -m venv /uv \
    && /uv/bin/pip install --no-cache-dir --require-hashes --requirement /uv.txt
WORKDIR /src
COPY . .
RUN /uv/bin/python -m hack.images mill --into /image

FROM scratch
COPY --from=build /image/base /
COPY --from=build /image/dependencies /
COPY --from=build /image/application /
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="mill" \
      org.opencontainers.image.description="mill-operator and mill-gateway: Mill on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      dev.mill.sbom="/usr/share/mill/sbom.json"
ENV PATH="/opt/mill/bin:/usr/bin" \
    LANG="C.UTF-8" \
    PYTHONDONTWRITEBYTECODE="1" \
    SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"
USER 65532:65532
EXPOSE 4400 4401
CMD ["mill-operator"]
