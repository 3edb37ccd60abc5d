"""A function that starts nginx with the sample configuration of deploy/nginx.

nginx uses free ports and a generated certificate.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.jobs.fetch.certificates import Authority
from tests.stack import ROOT, free_port, wait_for


@dataclass
class Nginx:
    """A running nginx. authority: the file of the certificate that clients must trust."""

    folder: Path
    http_port: int
    https_port: int
    authority: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https_port}"

    def use(self, ports: list[int], *, down: int | None = None) -> None:
        """Write the ports of the web machines into nginx's list, and reload nginx. down: a port to mark as down."""
        lines = [f"    server 127.0.0.1:{port}{' down' if port == down else ''};" for port in ports]
        (self.folder / "upstream.conf").write_text("\n".join(["upstream keyline {", *lines, "}", ""]))
        self.process.send_signal(1)


@contextlib.contextmanager
def running_nginx(folder: Path, ports: list[int], *, media: Path) -> Iterator[Nginx]:
    """Start nginx, yield it, and stop it at the end. Skip the test if nginx is not installed.

    ports: the ports of the web servers to which nginx forwards requests. media: the folder of stored files.
    """
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).exists():
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    authority = Authority(folder)
    authority.server_context("localhost")
    nginx = Nginx(folder, free_port(), free_port(), authority.certificate_path, None)  # type: ignore[arg-type]
    (folder / "keyline.conf").write_text(_site(nginx, media))
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(_container_settings(folder, user))
    nginx.process = None  # type: ignore[assignment]
    (folder / "upstream.conf").write_text("")
    command = [program, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    lines = [f"    server 127.0.0.1:{port};" for port in ports]
    (folder / "upstream.conf").write_text("\n".join(["upstream keyline {", *lines, "}", ""]))
    with (folder / "output").open("wb") as output:
        nginx.process = subprocess.Popen(command, stdout=output, stderr=output)
    try:

        def answers() -> bool:
            with contextlib.suppress(requests.RequestException):
                requests.get(f"http://127.0.0.1:{nginx.http_port}/", timeout=2, allow_redirects=False)
                return True
            assert nginx.process.poll() is None, (folder / "output").read_text()
            return False

        wait_for(answers, timeout_s=30, what="nginx does not answer")
        yield nginx
    finally:
        nginx.process.terminate()
        nginx.process.wait(30)


def _site(nginx: Nginx, media: Path) -> str:
    """Return the sample configuration with this test's ports and folders."""
    text = (ROOT / "deploy" / "nginx" / "keyline.conf").read_text()
    text = re.sub(r"^    listen \[::\]:.*\n", "", text, flags=re.MULTILINE)
    for before, after in (
        ("listen 80 ", f"listen {nginx.http_port} "),
        ("listen 443 ", f"listen {nginx.https_port} "),
        ("/etc/nginx/tls/keyline.crt", str(nginx.folder / "localhost.pem")),
        ("/etc/nginx/tls/keyline.key", str(nginx.folder / "localhost.pem")),
        ("/var/lib/keyline/media/", f"{media}/"),
    ):
        assert before in text, before
        text = text.replace(before, after)
    return text


def _container_settings(folder: Path, user: str) -> str:
    """Return the sample configuration for containers with this test's folders. Another file lists the web machines."""
    text = (ROOT / "deploy" / "nginx" / "container.conf").read_text().replace("/tmp/", f"{folder}/")
    text = re.sub(
        r"    upstream keyline \{.*?\n    \}\n", f"    include {folder}/upstream.conf;\n", text, flags=re.DOTALL
    )
    text = text.replace("/etc/nginx/keyline/keyline.conf", str(folder / "keyline.conf"))
    return f"{user}\n{text}".replace("/dev/stdout", str(folder / "access.log")).replace(
        "/dev/stderr", str(folder / "error.log")
    )
