"""Tests of nginx with the sample configuration: stored files, slow readers, limits, redirects and certificates."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import photos
from tests.deploy.nginx import Nginx, running_nginx
from tests.stack import ROOT, Api, free_port, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FILE_BYTES = 24 * 2**20
STORED_FILE = f"""
import json, os, django
django.setup()
from django.core.files.base import ContentFile
from jobs.models import Artifact, Job, JobImage, Team
from jobs.results import storage
from jobs.teams.keys import key_create
team = Team.objects.create(name="Studio")
key, secret = key_create(team=team, name="test", scopes=("submit", "read"))
job = Job.objects.create(team=team, dialect="native", options={{}}, images_total=1)
image = JobImage.objects.create(job=job, name="large.png")
stored = storage.store(storage.key_of_result(image, "cutout", "png"), os.urandom({FILE_BYTES}))
artifact = Artifact.objects.create(job=job, image=image, kind="cutout", key=stored.key, bytes=stored.bytes,
                                   sha256=stored.sha256, content_type="image/png")
print(json.dumps([secret, storage.link_to(artifact), stored.key]))
"""


class Site:
    """A web server behind nginx, with one stored file. link: the file's signed path."""

    def __init__(self, nginx: Nginx, secret: str, link: str, file: Path) -> None:
        self.nginx, self.secret, self.link, self.file = nginx, secret, link, file
        self.api = Api(nginx.url, secret)
        self.api.trust_env = False  # the environment may name other certificates, which would have precedence
        self.api.verify = str(nginx.authority)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MATTING_")} | {
        "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        "MATTING_DATA_DIR": str(folder / "var"),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "PORT": str(port),
        "WEB_PROCESSES": "1",
        "MATTING_HTTPS": "1",
        "MATTING_BEHIND_PROXY": "1",
        "MATTING_SEND_FILES": "nginx",
        "MATTING_MEDIA_GROUP_READABLE": "1",
    }
    run = [sys.executable, "manage.py"]
    subprocess.run([*run, "setup"], cwd=ROOT, env=environment, check=True, capture_output=True)
    made = subprocess.run(
        [sys.executable, "-c", STORED_FILE], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    secret, link, key = json.loads(made.stdout.splitlines()[-1])
    command = [sys.executable, "-m", "webserver"]
    media = folder / "var" / "media"
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: _answers(port), timeout_s=120, what="the web server does not answer")
            with running_nginx(folder / "nginx", [port], media=media) as nginx:
                yield Site(nginx, secret, link, media / key)
        finally:
            server.terminate()
            server.wait(60)


def _answers(port: int) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=5).status_code == 200
    return False


def test_a_stored_file_is_sent_by_nginx_with_the_headers_of_the_site(site: Site) -> None:
    response = site.api.get(site.link)

    assert response.status_code == 200
    assert response.content == site.file.read_bytes()
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Accel-Redirect" not in response.headers
    assert response.headers["X-Request-Id"]
    assert site.link.split("?")[0].endswith("png")
    assert "GET /stored-files" not in (site.nginx.folder / "access.log").read_text()


def test_ranges_and_304_work(site: Site) -> None:
    part = site.api.get(site.link, headers={"Range": "bytes=100-199"})
    whole = site.api.head(site.link)
    same = site.api.get(site.link, headers={"If-None-Match": whole.headers["ETag"]})

    assert (part.status_code, part.content) == (206, site.file.read_bytes()[100:200])
    assert (same.status_code, same.content) == (304, b"")


def test_no_file_is_sent_without_the_site(site: Site) -> None:
    key = "/".join(site.file.parts[-5:])

    assert site.api.get(f"/stored-files/{key}").status_code == 404
    assert site.api.get(site.link.split("?")[0], headers={"Authorization": ""}).status_code == 401


def test_health_answers_quickly_while_forty_clients_read_slowly(site: Site) -> None:
    def fastest_s() -> float:
        times = []
        for _ in range(20):
            started = time.perf_counter()
            assert site.api.get("/health/live").status_code == 200
            times.append(time.perf_counter() - started)
        return min(times)

    with contextlib.ExitStack() as readers:
        begun = [readers.enter_context(_slow_reader(site)) for _ in range(40)]
        assert all(begin.startswith(b"HTTP/1.1 200") for begin in begun)

        assert fastest_s() < 0.1


@contextlib.contextmanager
def _slow_reader(site: Site) -> Iterator[bytes]:
    """Request the file, yield the start of the response, and keep the connection open until the block ends."""
    context = ssl.create_default_context(cafile=str(site.nginx.authority))
    with socket.create_connection(("localhost", site.nginx.https_port), timeout=30) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(f"GET {site.link} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            yield connection.recv(64)


def test_port_80_redirects_to_https(site: Site) -> None:
    response = requests.get(f"http://localhost:{site.nginx.http_port}/docs?x=1", allow_redirects=False, timeout=10)

    assert (response.status_code, response.headers["Location"]) == (301, "https://localhost/docs?x=1")


def test_a_file_that_is_too_large_gets_the_error_of_the_site(site: Site) -> None:
    large = photos.encoded("JPEG", quality=50) + bytes(21 * 2**20)

    response = site.api.post("/api/jobs/", files={"image": ("photo.jpg", large)})

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_limit_of_nginx_lies_above_that_of_the_site() -> None:
    from django.conf import settings

    text = (ROOT / "deploy" / "nginx" / "keyline.conf").read_text()
    megabytes = int(text.split("client_max_body_size ")[1].split("m;")[0])
    seconds = int(text.split("proxy_read_timeout ")[1].split("s;")[0])

    assert megabytes * 2**20 > settings.MATTING_MAX_ARCHIVE_BYTES
    assert seconds > settings.MATTING_MAX_WAIT_S
