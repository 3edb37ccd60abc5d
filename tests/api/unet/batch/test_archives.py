"""Tests of `POST /api/matting/batch` with a zip: its pictures are processed, and a malicious zip is rejected."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.models import Artifact, Job
from tests.api.matching import assert_matches, fixture
from tests.api.unet.batch.caller import URL, task
from tests.cast import Person
from tests.fakes import FakeEngine


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return SimpleUploadedFile("pictures.zip", buffer.getvalue())


@pytest.mark.parametrize("field", ["zip", "images"])
def test_a_zip_is_taken_with_folders_inside_and_without_litter(
    instant_worker: FakeEngine, alice: Person, small: bytes, field: str
) -> None:
    file = zipped(
        {
            "shop/a.png": small,
            "shop/deeper/b.png": small,
            "shop/readme.txt": b"no picture",
            "shop/.DS_Store": b"x",
            "__MACOSX/shop/._a.png": b"x",
        }
    )

    body = task(alice, alice.api().post(URL, {field: file}).json()["task_id"])

    assert (body["processed"], body["failed"]) == (2, 1)
    assert [row["name"] for row in body["files"]] == ["a.png", "b.png", "readme.txt"]


def _encrypted(small: bytes) -> SimpleUploadedFile:
    data = bytearray(zipped({"a.png": small}).read())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return SimpleUploadedFile("a.zip", bytes(data))


def _many(small: bytes) -> SimpleUploadedFile:
    return zipped({f"{number}.png": b"" for number in range(2000)})


def _zip64(small: bytes) -> SimpleUploadedFile:
    """Return a zip with an additional zip64 end record, whose values have priority over the normal end record."""
    data = zipped({"a.png": small}).read()
    place = data.rindex(b"PK\x05\x06")
    size, offset = struct.unpack_from("<2L", data, place + 12)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    return SimpleUploadedFile("a.zip", data[:place] + record + locator + data[place:])


BAD_ARCHIVES: dict[str, tuple[Callable[[bytes], SimpleUploadedFile], int]] = {
    "not a zip": (lambda small: SimpleUploadedFile("a.zip", b"no zip" * 50), 400),
    "cut short": (lambda small: SimpleUploadedFile("a.zip", zipped({"a.png": small}).read()[:300]), 400),
    "empty": (lambda small: zipped({}), 400),
    "folders only": (lambda small: zipped({"a/": b""}), 400),
    "way up": (lambda small: zipped({"../../etc/cron.d/a.png": small}), 400),
    "way up in another tongue": (lambda small: zipped({"..\\..\\a.png": small}), 400),
    "absolute": (lambda small: zipped({"/etc/a.png": small}), 400),
    "drive": (lambda small: zipped({"C:\\a.png": small}), 400),
    "too deep": (lambda small: zipped({"/".join("abcdefghi") + "/a.png": small}), 400),
    "encrypted": (_encrypted, 400),
    "too many": (_many, 400),
    "zip64": (_zip64, 400),
    "bomb": (lambda small: zipped({"a.png": b"\0" * 30_000_000}, compression=zipfile.ZIP_DEFLATED), 413),
    "too much in all": (lambda small: zipped({f"{n}.png": b"x" * 2_000_000 for n in range(3)}), 413),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_an_archive_that_means_harm_is_refused_as_a_whole(
    instant_worker: FakeEngine, alice: Person, small: bytes, settings, name: str
) -> None:
    settings.MATTING_MAX_ARCHIVE_BYTES = 5_000_000
    make, status = BAD_ARCHIVES[name]

    answer = alice.api().post(URL, {"zip": make(small)})

    assert answer.status_code == status, answer.json()
    assert_matches(answer.json(), fixture("unet/error.json"))
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_member_packed_by_another_method_fails_by_itself(
    instant_worker: FakeEngine, alice: Person, small: bytes, compression: int, is_damaged: bool
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", small, compress_type=compression)
        archive.writestr("b.png", small, compress_type=zipfile.ZIP_DEFLATED)
    data = bytearray(buffer.getvalue())
    if is_damaged:
        data[200:1200] = b"\xaa" * 1000

    body = task(alice, alice.api().post(URL, {"zip": SimpleUploadedFile("a.zip", bytes(data))}).json()["task_id"])

    assert (body["processed"], body["failed"]) == (1, 1)
    assert body["files"][0]["error"] == "The file is packed by another method than deflate."


def test_a_member_that_lies_about_its_content_fails_by_itself(
    instant_worker: FakeEngine, alice: Person, small: bytes
) -> None:
    data = bytearray(zipped({"a.png": small, "b.png": small}).read())
    data[data.index(small) + len(small) // 2] ^= 0xFF  # the checksum of a.png is wrong now

    body = task(alice, alice.api().post(URL, {"zip": SimpleUploadedFile("a.zip", bytes(data))}).json()["task_id"])

    assert (body["processed"], body["failed"]) == (1, 1)
    assert body["files"][0]["error"] == "The file cannot be unpacked from the archive."
