# syntax=docker/dockerfile:1
# `web` has no PyTorch, `worker` has; `s3` is a store for those who have none. Build with --target, or let docker-compose.yml do so.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH
# Volumes start out as these folders are: for the user that the processes run as.
RUN useradd --system --uid 10001 --no-create-home wordbrush \
    && install -d -o wordbrush -g wordbrush /data /keys
WORKDIR /srv/wordbrush

# What is installed changes rarely, so it comes before the code. `requirements` prints what
# pyproject.toml names for the extras that it is given.
FROM base AS installing
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY pyproject.toml constraints.txt deploy/requirements.py ./

FROM installing AS installed-web
RUN python requirements.py s3 otel > requirements.txt \
    && pip install --constraint constraints.txt --requirement requirements.txt

FROM installing AS installed-worker
# https://download.pytorch.org/whl/cpu has PyTorch without CUDA, a tenth of the size.
ARG TORCH_INDEX=https://pypi.org/simple
RUN python requirements.py s3 otel worker > requirements.txt \
    && pip install --extra-index-url "${TORCH_INDEX}" \
       --constraint constraints.txt --requirement requirements.txt

FROM base AS code
COPY pyproject.toml ./
COPY app app
COPY worker worker
COPY models models
COPY training training
COPY wordbrush wordbrush
COPY checkpoints checkpoints
# Nothing can be written later, and each health check would compile anew.
RUN python -m compileall -q app worker models training wordbrush
ENV WORDBRUSH_DATA_DIR=/data \
    WORDBRUSH_KEYS_FILE=/keys/keys.json \
    WORDBRUSH_CHECKPOINTS=/srv/wordbrush/checkpoints:/data/checkpoints
USER wordbrush

FROM code AS web
COPY static static
COPY templates templates
COPY --from=installed-web /opt/venv /opt/venv
ENV WORDBRUSH_HOST=0.0.0.0
EXPOSE 8000
# /readyz itself waits 3 s for a store that is silent. Asked directly: a proxy of the environment's is not for this.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from http.client import HTTPConnection; web = HTTPConnection('127.0.0.1', 8000, timeout=4); web.request('GET', '/readyz'); exit(web.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["web"]

FROM code AS worker
COPY static/samples static/samples
COPY --from=installed-worker /opt/venv /opt/venv
# Asking takes a second of a core; models are loaded, and each is run once, before it is said yes.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s CMD ["python", "-m", "worker.alive"]
ENTRYPOINT ["python", "-m"]
CMD ["worker"]

FROM versity/versitygw:v1.0.20 AS s3
COPY --from=base --chown=10001:10001 /data /data
USER 10001:10001
