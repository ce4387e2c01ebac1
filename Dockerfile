# Two stages: the first installs, pinned and with hashes; the second has what was installed and nothing else.
# tests/deploy/test_image_install.py carries out these steps on a machine without Docker, so keep them plain.
# To build on one image and no other, name it with its digest: see docs/deployment.md.
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements/otel.txt requirements/otel.txt
RUN python -m venv /opt/proofhouse && mkdir -m 0700 /data
RUN /opt/proofhouse/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes -r requirements/otel.txt
COPY pyproject.toml README.md ./
COPY service service
COPY workers workers
RUN /opt/proofhouse/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /opt/proofhouse/bin/pip uninstall --yes --quiet setuptools wheel pip

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/proofhouse /opt/proofhouse
# For `up` alone, which keeps its database there; API and workers write to /tmp and nowhere else.
COPY --from=build --chown=65532:65532 /data /data
ENV PATH=/opt/proofhouse/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PROOFHOUSE_DATA_DIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /data
USER 65532:65532
EXPOSE 8000 9100
# Of the API; whoever runs another command says how that one is asked (see compose.yaml).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["proofhouse"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
