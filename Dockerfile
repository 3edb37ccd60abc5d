# One image for the web server, the workers and the preparation; compose.yaml says which of them a container is.
FROM python:3.12-slim

# The CPU build of PyTorch; pass https://pypi.org/simple for the one with CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/keyline

# Packages before code, so that a change of code does not install them again.
COPY requirements.txt ./
RUN pip install --extra-index-url "$TORCH_INDEX" -r requirements.txt

COPY . ./
RUN useradd --system --home-dir /data --create-home keyline
USER keyline
ENV MATTING_DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000

CMD ["python", "-m", "webserver"]
