# One image for the web server, the workers and the preparation; the command in compose.yaml selects one.
FROM python:3.12-slim

# The CPU build of PyTorch; an empty value installs the build with CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/keyline

# Packages before code, so that a change of code does not install them again.
COPY requirements.lock ./
RUN pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.lock

COPY . ./
RUN useradd --system --home-dir /data --create-home keyline
USER keyline
ENV MATTING_DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000

CMD ["python", "-m", "webserver"]
