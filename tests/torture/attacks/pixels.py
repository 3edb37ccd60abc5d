"""Attack with pictures of 49 megapixels."""

from __future__ import annotations

from functools import partial

import numpy as np
import requests

from tests import photos
from tests.torture.attacks.attack import Attack
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite

_SIDE_PX = 7000


def heavy_pixels(site: TorturedSite, *, uploads: int, variants: int) -> list[Figure]:
    """Upload truncated PNGs of 49 megapixels, and request variants of a JPEG of this size; return the figures.

    uploads: the number of PNGs. variants: the number of requested variants.
    """
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
    """Return a JPEG of 49 megapixels, and a truncated PNG of the same size."""
    tile = photos.astronaut()
    pixels = np.tile(tile, (-(-_SIDE_PX // tile.shape[0]), -(-_SIDE_PX // tile.shape[1]), 1))[:_SIDE_PX, :_SIDE_PX]
    png = photos.encode(pixels // 128 * 128, "PNG", compress_level=1)
    return photos.encode(pixels, "JPEG", quality=60), png[: len(png) * 99 // 100]
