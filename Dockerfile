# One image for the web server, the workers and the setup; the command in compose.yaml selects one of them.
# BASE needs Python 3.11 or newer with venv. It is an argument, so that a mirror or another base image can be used.
ARG BASE=python:3.12-slim
FROM ${BASE} AS packages

# The CPU build of PyTorch; an empty value installs the build with CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# 1 adds the package for sign-in with an LDAP directory; it is compiled during the build.
ARG LDAP=
WORKDIR /srv/keyline
COPY requirements.lock ./
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check \
       ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.lock
COPY requirements-optional.lock requirements-ldap.txt ./
# hadolint ignore=DL3008
RUN if [ -n "$LDAP" ]; then apt-get update \
        && apt-get install -y --no-install-recommends build-essential python3-dev libldap2-dev libsasl2-dev \
        && .venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements-ldap.txt; fi \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements-optional.lock \
    && .venv/bin/pip uninstall --yes pip \
    && find .venv -name __pycache__ -type d -prune -exec rm -rf {} + \
    # Remove 200 MB of torch that are needed only to build extensions and to run torch's tests.
    && torch=$(echo .venv/lib/python3*/site-packages/torch) \
    && rm -rf "$torch/include" "$torch/test" \
    && find "$torch/bin" -type f ! -name torch_shm_manager -delete \
    && find .venv -name '*.a' -delete

FROM ${BASE}
ARG LDAP=
# The library that the LDAP package uses; its name contains a version on Debian 12.
# hadolint ignore=DL3008
RUN if [ -n "$LDAP" ]; then apt-get update \
        && { apt-get install -y --no-install-recommends libldap2 || apt-get install -y --no-install-recommends libldap-2.5-0; } \
        && rm -rf /var/lib/apt/lists/*; fi
# A numeric user, so that Kubernetes can check that the user is not root. The site writes only to /data and to the folders
# of the UNet dialect, which are below /root in its guide; so other users may enter /root, but not list it.
RUN groupadd --gid 10001 keyline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data keyline \
    && install -d -o 10001 -g 10001 -m 0750 /data \
    && chmod 0711 /root \
    && install -d -o 10001 -g 10001 -m 0755 /root/inputs /root/outputs /root/models
WORKDIR /srv/keyline
COPY --from=packages /srv/keyline/.venv .venv
COPY . ./
ENV PATH=/srv/keyline/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    MATTING_DATA_DIR=/data \
    MATTING_WEIGHTS_DIR=/data/weights \
    MATTING_LOG_FORMAT=json
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["python3", "-m", "webserver"]
