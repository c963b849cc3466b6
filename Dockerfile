# The sync service: `ltpkit serve` on port 8001, its store in the volume /data.
#
#   docker build -t ltpkit . && docker run -p 127.0.0.1:8001:8001 -e LTPKIT_API_TOKEN=… -v ticks:/data ltpkit
#
# Inside a container the service listens beyond loopback, so it wants a token.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY ltpkit ltpkit
RUN python -m venv /opt/ltpkit \
    && /opt/ltpkit/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[server]'

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home ltpkit \
    && install -d -o ltpkit -g ltpkit /data
COPY --from=build /opt/ltpkit /opt/ltpkit
ENV PATH=/opt/ltpkit/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SERVICE_HOST=0.0.0.0 \
    SERVICE_PORT=8001 \
    LOG_FORMAT=json
# ltpkit, by its number, which an orchestrator can check.
USER 10001
# Kept in that user's cache; a container on another kind of processor compiles once more.
RUN python -m ltpkit.compiled
WORKDIR /data
VOLUME /data
EXPOSE 8001
# Alive is enough here: a broker that is down is no reason to start the container anew.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8001/health/live', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["ltpkit", "serve", "--store", "/data/ticks.duckdb"]
CMD ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"]
