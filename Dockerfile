# mpops as a container: `docker build -t mpops .`, then `docker run mpops --help`. See docs/deploy.md.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/mpops
COPY requirements.lock /opt/requirements.lock
# Wheels only: nothing is built, and nothing comes that the lock file does not name with its hash.
RUN /opt/mpops/bin/python -m pip install --require-hashes --only-binary=:all: -r /opt/requirements.lock \
    && /opt/mpops/bin/python -m pip uninstall --yes pip setuptools
WORKDIR /app
COPY app.py ./
COPY adapters ./adapters
COPY bot ./bot
COPY handlers ./handlers
COPY storage ./storage
# The code is read-only for the one who runs it, so it is compiled here.
RUN /opt/mpops/bin/python -m compileall -q /app


FROM python:3.11-slim
RUN groupadd --system --gid 10001 mpops \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin mpops \
    && install --directory --owner=mpops --group=mpops --mode=0700 /app/var
COPY --from=build /opt/mpops /opt/mpops
COPY --from=build /app /app
ENV PATH=/opt/mpops/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MPOPS_HTTP__HOST=0.0.0.0 MPOPS_LOG_FORMAT=json
WORKDIR /app
USER 10001:10001
VOLUME /app/var
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import http.client as h, os; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('MPOPS_HTTP__PORT', '8080')), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "/app/app.py"]
CMD ["serve"]
