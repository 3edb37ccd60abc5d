"""Attack with malicious zips."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import partial

from tests import photos
from tests.torture.attacks.attack import Attack
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite

# The entries of the other zips are rejected one by one, as failed pictures.
_REFUSED_ZIPS = ("one entry named 500 times", "ten thousand empty entries", "cut short")


def hostile_zips(site: TorturedSite, *, each: int) -> list[Figure]:
    """Send zips with overlapping entries, zip bombs, and zips with too many entries for one job; return the figures.

    each: the number of zips of each kind.
    """
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
    """Return a zip whose directory has `count` entries. All entries point to the same data."""
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
