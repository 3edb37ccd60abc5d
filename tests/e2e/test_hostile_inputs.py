"""Tests that hostile files are rejected with a clear message, leave no files and use no extra memory."""

from __future__ import annotations

import base64
import gc
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.models import Artifact, Job
from jobs.work import queue
from tests import photos
from tests.cast import Person
from tests.e2e.hostile import hostile_files

pytestmark = pytest.mark.slow

FILES = dict(hostile_files())
# The largest bomb would unpack to 400 MB. A tenth of this is far above the memory that the allocator keeps.
MEMORY_MARGIN_BYTES = 40 * 2**20


def test_there_are_more_than_300_of_them() -> None:
    assert len(FILES) >= 300


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_with_a_reason_and_leaves_nothing(name: str, alice: Person) -> None:
    upload = SimpleUploadedFile(f"{name}.png", FILES[name](), content_type="image/png")

    response = alice.api().post("/api/jobs/", {"image": upload})

    assert 400 <= response.status_code < 500, f"{name}: {response.status_code} {response.content[:300]!r}"
    problem = response.json()
    assert problem["detail"]
    assert "Traceback" not in response.text
    assert settings.BASE_DIR.name not in problem["detail"]
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()
    assert not any(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))
    assert sum(queue.depths().values()) == 0


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("larger")][::10])
def test_the_same_file_as_base64_is_refused_too(name: str, alice: Person) -> None:
    body = {"image_base64": base64.b64encode(FILES[name]()).decode()}

    response = alice.api().post("/api/jobs/", body, content_type="application/json")

    assert 400 <= response.status_code < 500, f"{name}: {response.status_code} {response.content[:300]!r}"
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"image_base64": 5}',
        b'{"image_base64": ["!!!"]}',
        b'{"image_base64": "data:image/png;base64,"}',
        b'{"image_base64": {"a": 1}}',
        b'{"image_base64": []}',
        b"[" * 50_000,
        b'{"image_url": "file:///etc/passwd"}',
        b'{"image_url": "http://127.0.0.1:6379/"}',
        b'{"image_url": "gopher://localhost/"}',
        b'{"image_url": ["http://169.254.169.254/latest/meta-data/"]}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_a_malformed_body_is_refused(body: bytes, alice: Person) -> None:
    response = alice.api().post("/api/jobs/", body, content_type="application/json")

    assert 400 <= response.status_code < 500, response.content[:300]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"threshold": "51"},
        {"threshold": "-1"},
        {"threshold": "NaN"},
        {"erosion": "6"},
        {"erosion": "1e9"},
        {"method": "magic"},
        {"method": "boxes"},
        {"method": "boxes", "boxes": "[[0,0,0,0]]"},
        {"method": "boxes", "boxes": "[[9,9,1,1]]"},
        {"method": "boxes", "boxes": "[[100000,100000,200000,200000]]"},
        {"method": "boxes", "boxes": "not json"},
        {"background": "red; DROP TABLE"},
        {"crop_margin": "0.51"},
        {"format": "exe"},
        {"outputs": "everything"},
        {"alpha_mode": "\0"},
    ],
    ids=str,
)
def test_an_option_out_of_range_is_refused_even_with_a_good_picture(fields: dict[str, str], alice: Person) -> None:
    upload = SimpleUploadedFile("photo.jpg", photos.encoded("JPEG"), content_type="image/jpeg")

    response = alice.api().post("/api/jobs/", {"image": upload} | fields)

    assert 400 <= response.status_code < 500, response.content[:300]
    assert not Job.objects.exists()


def test_the_memory_of_the_process_comes_back(alice: Person) -> None:
    client = alice.api()
    files = [(name, content()) for name, content in FILES.items()]

    def send_all() -> None:
        for name, content in files:
            client.post("/api/jobs/", {"image": SimpleUploadedFile(name, content)})
        gc.collect()

    send_all()  # decoders and their tables are loaded by now
    before = _resident_bytes()
    send_all()

    assert _resident_bytes() - before < MEMORY_MARGIN_BYTES


def _resident_bytes() -> int:
    """Return this process's resident memory in bytes, from /proc/self/statm."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
