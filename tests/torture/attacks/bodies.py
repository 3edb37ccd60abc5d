"""Attack with large request bodies of many content types."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

import numpy as np

from tests import photos
from tests.torture.attacks.attack import Attack, Send
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite


def heavy_bodies(site: TorturedSite, *, each: int) -> list[Figure]:
    """Send large bodies of many content types, several at the same time, and return the figures.

    The web server must not keep the bodies in memory. each: the number of bodies of each type.
    """
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
