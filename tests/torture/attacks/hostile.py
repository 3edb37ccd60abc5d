"""Attacks with hostile files and malformed requests."""

from __future__ import annotations

import base64
import json
import random
import string
from functools import partial
from typing import Any
from urllib.parse import urlencode

from tests.e2e.hostile import hostile_files
from tests.torture.attacks.attack import Attack
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite


def hostile_input(site: TorturedSite, *, requests_count: int, every: int) -> list[Figure]:
    """Send hostile files as forms and as base64, and malformed requests to many routes; return the figures.

    requests_count: the number of malformed requests. every: 1 uses all files, and n uses only each n-th file.
    """
    attack = Attack(site, "Hostile files and malformed requests")
    files = [(name, content()) for name, content in list(hostile_files())[::every]]
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
    """Send one random malformed request and return its status; the same seed gives the same request."""
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
