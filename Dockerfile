# Binôme in one image: the service (the default), or a worker (`binome worker`).
# Everything is installed as `make setup` does it: locked versions with hashes, no dependency resolution.
FROM python:3.11-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY Makefile pyproject.toml requirements.lock ./
COPY service/__init__.py service/__init__.py
COPY models/__init__.py models/__init__.py
RUN make setup
COPY . .
RUN .venv/bin/python -m compileall -q service models

FROM python:3.11-slim
LABEL org.opencontainers.image.title="Binôme" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --create-home --home-dir /var/lib/binome --shell /usr/sbin/nologin binome
COPY --from=build /app /app
ENV PATH="/app/.venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    BINOME_HOST=0.0.0.0 \
    BINOME_DATA_DIR=/var/lib/binome/data
RUN install --directory --owner=binome --group=binome --mode=700 /var/lib/binome/data
USER binome
WORKDIR /var/lib/binome
VOLUME /var/lib/binome/data
EXPOSE 8000
STOPSIGNAL SIGTERM
# A worker has no port: the compose file turns this check off for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["binome"]
CMD ["serve"]
