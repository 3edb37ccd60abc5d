"""Send what nobody sends in good faith: hostile files, malformed requests, heavy bodies, forbidden URLs."""

from __future__ import annotations

import base64
import io
import json
import random
import socket
import string
import struct
import threading
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import requests

from tests import photos
from tests.e2e.hostile import hostile_files
from tests.jobs.fetch.test_addresses import REFUSED_ADDRESSES, REFUSED_URLS
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite, Watch, tortured_site
from tests.torture.traffic import is_allowed

_SIDE_PX = 7000
Send = Callable[[], int]


class Attack:
    """Send requests at once, and count the answers by what was sent."""

    def __init__(self, site: TorturedSite, title: str) -> None:
        self.site, self.title = site, title
        self.watch = Watch(site)
        self.statuses: Counter[int] = Counter()
        self.strange: list[str] = []
        self.took_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def post(self, path: str, what: str = "", **values: Any) -> int:
        """Send one request; return its status, 0 where the site closed the connection without an answer."""
        headers = {"Authorization": f"Bearer {self.site.secret}"} | values.pop("headers", {})
        try:
            answer = requests.request(
                values.pop("method", "POST"), self.site.url + path, headers=headers, timeout=300, **values
            )
            status, text = answer.status_code, answer.text[:200]
        except requests.RequestException as error:
            status, text = 0, str(error)[:200]
        with self._lock:
            self.statuses[status] += 1
            if status and not is_allowed(status):
                self.strange.append(f"{what or path}: {status} {text}")
        return status

    def at_once(self, name: str, sends: Iterable[Send], clients: int = 8) -> list[int]:
        """Let `clients` threads send everything; return the statuses."""
        started = time.monotonic()
        with ThreadPoolExecutor(clients) as threads:
            statuses = list(threads.map(lambda send: send(), sends))
        self.took_s[name] = round(time.monotonic() - started, 1)
        return statuses

    def figures(self, *more: Figure) -> list[Figure]:
        details = {
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "seconds": self.took_s,
            "strange": self.strange[:20],
        }
        answers = Figure(f"{self.title}: requests sent", sum(self.statuses.values()), details=details)
        strange = Figure(f"{self.title}: other answers than 200, 202, 4xx and 503", len(self.strange), "", 0)
        return [answers, strange, *more, *self.watch.figures(self.title)]


# Files and malformed requests -----------------------------------------------------------------------------------------


def hostile_input(site: TorturedSite, *, requests_count: int, every: int) -> list[Figure]:
    """Send every hostile file as a form and as base64, and malformed requests to every route."""
    attack = Attack(site, "Hostile files and malformed requests")
    files = list(hostile_files())[::every]
    accepted_before = site.query("SELECT count(*) FROM jobs_job")[0][0]
    with attack.watch.running():
        attack.at_once(
            "files",
            (partial(attack.post, "/api/jobs/", name, files={"image": (f"{name}.png", data)}) for name, data in files),
        )
        attack.at_once(
            "base64",
            (
                partial(attack.post, "/api/jobs/", name, json={"image_base64": base64.b64encode(data).decode()})
                for name, data in files
            ),
        )
        accepted = site.query("SELECT count(*) FROM jobs_job")[0][0] - accepted_before
        attack.at_once("malformed", (partial(_malformed, attack, seed) for seed in range(requests_count)))
    return attack.figures(Figure(f"{attack.title}: hostile files accepted", accepted, "", 0))


_ROUTES = (
    "/api/jobs/",
    "/api/jobs/?wait=1",
    "/api/jobs/00000000-0000-0000-0000-000000000000/",
    "/api/jobs/00000000-0000-0000-0000-000000000000/variants",
    "/api/uploads/",
    "/api/webhooks/",
    "/api/account",
    "/api/matting/single",
    "/api/matting/batch",
    "/api/matting/task/x",
    "/api/model/reload",
    "/oauth/2.0/token",
    "/rest/2.0/image-process/v1/segment",
    "/api/v1/services/aigc/image2image/image-synthesis",
    "/api/v1/tasks",
    "/api/v1/tasks/x",
    "/api/v1/uploads",
    "/api/v1/uploads/files",
    "/task/pic/segmentation",
    "/api/tasks/visual/segmentation",
    "/v1.0/removebg",
    "/v1.0/account",
    "/api/remove",
    "/mcp",
    "/accounts/login/",
    "/admin/login/",
    "/health",
    "/",
)
_KINDS = (
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "text/plain; charset=utf-16",
    "application/json; charset=nothing",
    "image/png",
    "\u00ff/\u00fe",
    "",
)


def _malformed(attack: Attack, seed: int) -> int:
    """Send one random request; the same one for the same seed."""
    chance = random.Random(seed)
    route = chance.choice(_ROUTES)
    if chance.random() < 0.3:
        route += "?" + urlencode({chance.choice(("wait", "page", "limit", "", "a" * 300)): _junk(chance)})
    headers = {"Content-Type": chance.choice(_KINDS).encode("latin-1")}
    if chance.random() < 0.3:
        name = chance.choice(("Accept", "Idempotency-Key", "Range", "If-None-Match", "Accept-Language", "Cookie"))
        headers[name] = "".join(chance.choice(string.printable[:94]) for _ in range(chance.randrange(60)))
    if chance.random() < 0.2:
        headers["Authorization"] = chance.choice(("Bearer", "Basic eA==", "Bearer kl_x", "Digest x", "Bearer a b"))
    method = chance.choice(("POST", "POST", "POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"))
    return attack.post(route, f"{method} {route} (seed {seed})", method=method, data=_body(chance), headers=headers)


def _junk(chance: random.Random) -> str:
    return chance.choice(("-1", "1e309", "NaN", "\0", "../../etc", "9" * 400, "[]", "{}", "null", "\ud7ff", "%00", ""))


def _body(chance: random.Random) -> bytes:
    field = chance.choice(("image", "image_url", "image_base64", "images", "url", "threshold", "boxes", "points"))
    values: tuple[Any, ...] = (
        None,
        True,
        -1,
        1e308,
        [],
        {},
        "",
        "x" * 5000,
        [[1, 2]],
        {"a": {"b": []}},
        "\0",
        "data:,",
    )
    value = chance.choice(values)
    whole = chance.choice(
        (
            json.dumps({field: value}).encode(),
            json.dumps([{field: value}] * 3).encode(),
            b"[" * chance.choice((10, 5000, 60_000)),
            urlencode({field: str(value)}).encode(),
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a\x00.png"\r\n\r\nabc\r\n--x--\r\n',
            b"--x\r\nContent-Disposition: form-data\r\n\r\n",
            chance.randbytes(chance.randrange(2000)),
            b"",
        )
    )
    return whole[: chance.randrange(len(whole) + 1)] if chance.random() < 0.3 else whole


# Heavy bodies ---------------------------------------------------------------------------------------------------------


def heavy_bodies(site: TorturedSite, *, each: int) -> list[Figure]:
    """Send large bodies of every kind, several at once; the web server must not hold them in memory."""
    attack = Attack(site, "Large bodies")
    text = base64.b64encode(random.Random(1).randbytes(15 * 2**20)).decode()
    large_picture = photos.encode(np.random.default_rng(1).integers(0, 256, (2400, 2400, 3), np.uint8), "PNG")
    picture_text = base64.b64encode(large_picture).decode()
    kinds: dict[str, Send] = {
        "JSON with 20 MB of base64": _json(attack, {"image_base64": text}),
        "JSON with a picture of 17 MB": _json(attack, {"image_base64": picture_text}),
        "JSON with three pictures": _json(attack, {"image_base64": [text, text, text]}),
        "JSON with 60 MB in one text": _json(attack, {"image_url": text * 3}),
        "JSON with a million fields": _raw(attack, json.dumps({str(n): [n] for n in range(1_000_000)}).encode()),
        "JSON of 30 million numbers": _raw(attack, b"[" + b"1," * 30_000_000 + b"1]"),
        "escaped base64 in a form": _form(attack, text),
        "base64 in a form with parts": partial(
            attack.post, "/api/jobs/", "parts", files={"image_base64": (None, text), "image_url": (None, text)}
        ),
        "raw picture": partial(
            attack.post, "/api/jobs/", "raw", data=large_picture, headers={"Content-Type": "image/png"}
        ),
        "400 files in a form": partial(
            attack.post,
            "/api/jobs/",
            "files",
            files=[("image", (f"{n}.png", large_picture[:100_000])) for n in range(400)],
        ),
        "Baidu's form": partial(
            attack.post,
            "/rest/2.0/image-process/v1/segment",
            "Baidu",
            data=urlencode({"image": picture_text}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ),
        "chunked": partial(_chunked, attack, text),
    }
    peaks: dict[str, float] = {}
    with attack.watch.running():
        for name, send in kinds.items():
            attack.watch.web_mb, before = 0.0, attack.watch.web_mb
            attack.at_once(name, [send] * each, clients=each)
            attack.watch.sample()
            peaks[name] = round(attack.watch.web_mb)
            attack.watch.web_mb = max(before, attack.watch.web_mb)
    return attack.figures(Figure(f"{attack.title}: kinds of body", len(kinds), details={"web_mb": peaks}))


def _json(attack: Attack, value: dict[str, Any]) -> Send:
    return _raw(attack, json.dumps(value).encode())


def _raw(attack: Attack, body: bytes) -> Send:
    return partial(attack.post, "/api/jobs/", "JSON", data=body, headers={"Content-Type": "application/json"})


def _form(attack: Attack, text: str) -> Send:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return partial(attack.post, "/api/jobs/", "form", data=urlencode({"image_base64": text}), headers=kind)


def _chunked(attack: Attack, text: str) -> int:
    kind = {"Content-Type": "application/json"}
    return attack.post("/api/jobs/", "chunked", data=_chunks(text), headers=kind)


def _chunks(text: str) -> Iterator[bytes]:
    yield b'{"image_base64": "'
    for start in range(0, len(text), 2**16):
        yield text[start : start + 2**16].encode()
    yield b'"}'


# Pixels ---------------------------------------------------------------------------------------------------------------


def heavy_pixels(site: TorturedSite, *, uploads: int, variants: int) -> list[Figure]:
    """Upload PNGs of 49 megapixels that lack their end, and ask for variants of a JPEG of as many."""
    attack = Attack(site, "Pictures of 49 megapixels")
    whole, damaged = large_pictures()
    headers = {"Authorization": f"Bearer {site.secret}"}
    with attack.watch.running():
        files = {"image": ("large.jpg", whole)}
        job = requests.post(f"{site.url}/api/jobs/?wait=60", files=files, headers=headers, timeout=300).json()
        path = f"/api/jobs/{job['id']}/variants"
        while job["status"] in ("queued", "running"):
            job = requests.get(f"{site.url}/api/jobs/{job['id']}/?wait=30", headers=headers, timeout=300).json()
        send = partial(attack.post, "/api/jobs/", "cut short", files={"image": ("a.png", damaged)})
        cut_short = attack.at_once("uploads that lack their end", [send] * uploads, clients=uploads)
        send = partial(attack.post, path, "variant", json={})
        attack.at_once("variants", [send] * variants, clients=variants)
    accepted = sum(status in (200, 202) for status in cut_short)
    return attack.figures(Figure(f"{attack.title}: damaged ones accepted", accepted, "", 0))


def large_pictures() -> tuple[bytes, bytes]:
    """Return a JPEG of 49 megapixels, and a PNG of as many that lacks its end."""
    tile = photos.astronaut()
    pixels = np.tile(tile, (-(-_SIDE_PX // tile.shape[0]), -(-_SIDE_PX // tile.shape[1]), 1))[:_SIDE_PX, :_SIDE_PX]
    png = photos.encode(pixels // 128 * 128, "PNG", compress_level=1)
    return photos.encode(pixels, "JPEG", quality=60), png[: len(png) * 99 // 100]


# Zips -----------------------------------------------------------------------------------------------------------------


# The entries of the others are refused one by one, as pictures that fail.
_REFUSED_ZIPS = ("one entry named 500 times", "ten thousand empty entries", "cut short")


def hostile_zips(site: TorturedSite, *, each: int) -> list[Figure]:
    """Send zips with overlapping entries, bombs, and more entries than a job may have."""
    attack = Attack(site, "Hostile zips")
    kinds = {
        "one entry named 500 times": overlapping_zip(500),
        "ten thousand empty entries": _many_entries(10_000),
        "a bomb": _bomb(),
        "a zip in a zip": _nested(),
        "cut short": overlapping_zip(500)[:-10],
    }
    accepted = 0
    with attack.watch.running():
        for name, data in kinds.items():
            sends = [
                partial(attack.post, path, name, files={"zip": ("pictures.zip", data)})
                for path in ("/api/jobs/", "/api/matting/batch")
                for _ in range(each)
            ]
            statuses = attack.at_once(name, sends, clients=2 * each)
            accepted += sum(status in (200, 202) for status in statuses) if name in _REFUSED_ZIPS else 0
    slowest = max(attack.took_s.values())
    return attack.figures(
        Figure(f"{attack.title}: accepted", accepted, "", 0),
        Figure(f"{attack.title}: slowest round of {2 * each} at once", slowest, "s", 10.0),
    )


def overlapping_zip(count: int) -> bytes:
    """Return a zip whose directory names one local header `count` times."""
    data, name = photos.encoded("JPEG", quality=50), b"a.jpg"
    values = (20, 0x800, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *values) + name + data
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *values, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, len(local), 0)
    return local + entry * count + end


def _many_entries(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", b"")
    return file.getvalue()


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(12):
            archive.writestr(f"{number}.png", bytes(50 * 2**20))
    return file.getvalue()


def _nested() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", overlapping_zip(500))
    return file.getvalue()


# URLs -----------------------------------------------------------------------------------------------------------------


def forbidden_urls(*, every: int) -> list[Figure]:
    """Ask the site to fetch what it may not, in the ways of every API, and through names that change their address."""
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
            deadline = time.monotonic() + 60
            open_ones = "SELECT count(*) FROM jobs_jobimage WHERE status IN ('queued', 'running')"
            while site.query(open_ones)[0][0] and time.monotonic() < deadline:
                time.sleep(0.5)
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
    """Listen on a port of this machine that nothing may connect to, and count the connections.

    The port is 80 where this user may take it: the fetcher refuses others by their number alone.
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


# Waits and cheap requests ---------------------------------------------------------------------------------------------


def waits_and_cheap_requests(site: TorturedSite, *, waits: int, cheap: int, pollers: int) -> list[Figure]:
    """Let requests wait for a picture that does not come, and send cheap ones so often that processes are replaced."""
    attack = Attack(site, "Waits and cheap requests")
    headers = {"Authorization": f"Bearer {site.secret}"}
    with _canary_that_keeps_silent() as port:
        body = {"image_url": f"http://127.0.0.1:{port}/a.png"}
        job = requests.post(f"{site.url}/api/jobs/", json=body, headers=headers, timeout=60).json()["id"]
        with attack.watch.running(), ThreadPoolExecutor(waits + pollers) as waiting:
            path = f"/api/jobs/{job}/"
            held = [waiting.submit(attack.post, f"{path}?wait=58", "wait", method="GET") for _ in range(waits)]
            polled = [waiting.submit(_poll, attack, path, cheap // max(1, 2 * pollers)) for _ in range(pollers)]
            attack.at_once("cheap", [partial(_cheap, attack.site, attack)] * (cheap // 100), clients=8)
            for future in polled:
                future.result()
            requests.delete(f"{site.url}{path}", headers=headers, timeout=60)
            for future in held:
                future.result()
    return attack.figures()


def _cheap(site: TorturedSite, attack: Attack) -> int:
    """Send 50 cheap requests over one connection."""
    parts = urlsplit(site.url)
    with requests.Session() as session:
        for _ in range(50):
            status = session.get(f"http://{parts.netloc}/robots.txt", timeout=120).status_code
            with attack._lock:
                attack.statuses[status] += 1
    return status


def _poll(attack: Attack, path: str, times: int) -> None:
    for _ in range(times):
        attack.post(path, "poll", method="GET")


@contextmanager
def _canary_that_keeps_silent() -> Iterator[int]:
    """Listen, accept by the kernel alone, and never answer; yield the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]
