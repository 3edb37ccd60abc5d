"""Attack with URLs that the site must not open. Some contain a host name whose IP address changes."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import requests

from tests import photos
from tests.jobs.fetch.test_addresses import REFUSED_ADDRESSES, REFUSED_URLS
from tests.stack import wait_for
from tests.torture.attacks.attack import Attack
from tests.torture.figures import Figure
from tests.torture.site import tortured_site


def forbidden_urls(*, every: int) -> list[Figure]:
    """Send forbidden URLs to the site, and return the figures. Some contain a host name whose IP address changes.

    every: 1 uses all URLs with a fixed IP address, and n uses only each n-th of them.
    """
    with tortured_site(MATTING_FETCH_ALLOW="") as site, _canary() as canary:
        attack = Attack(site, "Forbidden URLs and rebinding")
        port = canary.getsockname()[1]
        literals = (f"[{text}]" if ":" in text else text for text in REFUSED_ADDRESSES.values())
        urls = [f"http://{host}/a.png" for host in literals] + list(REFUSED_URLS.values())
        urls = urls[::every]
        urls += [f"http://{name}.rebind.test:{number}/a.png" for name in "abcdefghij" for number in sorted({80, port})]
        with attack.watch.running():
            sends = [partial(attack.post, "/api/jobs/", url, json={"image_url": _sendable(url)}) for url in urls]
            picture = {"image_base64": base64.b64encode(photos.encoded("JPEG", quality=50)).decode()}
            sends += [
                partial(attack.post, "/api/jobs/", url, json=picture | {"callback_url": _sendable(url)}) for url in urls
            ]
            attack.at_once("URLs", sends)
            headers = {"Authorization": f"Bearer {site.secret}"}
            unfinished = "SELECT count(*) FROM jobs_jobimage WHERE status IN ('queued', 'running')"
            wait_for(lambda: not site.query(unfinished)[0][0], timeout_s=60, what="pictures by URL do not end")
            requests.get(f"{site.url}/api/jobs/", headers=headers, timeout=60)
        of_url = "SELECT count(*) FROM jobs_jobimage WHERE status = 'succeeded' AND source_url <> ''"
        fetched = site.query(of_url)[0][0]
        messages = {row[0] for row in site.query("SELECT DISTINCT error_message FROM jobs_jobimage")}
        named = [text for text in messages if "127.0.0.1" in text or "203.0.114" in text]
        return attack.figures(
            Figure(f"{attack.title}: connections to this machine", canary.reached, "", 0, details={"port": port}),
            Figure(f"{attack.title}: pictures fetched", fetched, "", 0),
            Figure(
                f"{attack.title}: errors that name an internal address", len(named), "", 0, details={"texts": named}
            ),
        )


def _sendable(url: str) -> str:
    return url.encode("utf-8", "replace").decode()


class _Canary(socket.socket):
    reached = 0


@contextmanager
def _canary() -> Iterator[_Canary]:
    """Listen on a port of this machine to which the site must not connect, and count the connections.

    The port is 80 if the user of this process may open it, because the site rejects every URL with a port other than
    80 and 443, whatever its host is.
    """
    server = _Canary()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("127.0.0.1", 80))
    except OSError:
        server.bind(("127.0.0.1", 0))
    server.listen(50)

    def accept() -> None:
        with suppress(OSError):
            while True:
                server.accept()[0].close()
                server.reached += 1

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.close()
