"""Stages 7 and 8 through the native API: what another rendering or run of a stored picture is held to."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from jobs.errors import JobNotFound
from jobs.models import Artifact, AuditEntry, Job, Scope
from jobs.services.keys import key_create
from jobs.services.lifecycle import job_purge
from jobs.services.quota import stored_bytes
from jobs.services.variants import MAX_BRUSH_BYTES, variant_keep
from segmentation.pipeline import Rendered
from tests.cast import Person
from tests.quota.deeds import set_quota

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> Job:
    """A finished job of Alice's, of one picture of 512 x 512."""
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("cat.jpg", jpeg_bytes)})
    return Job.objects.get()


def brush(width: int = 512, height: int = 512, *, kind: str = "PNG") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 0).save(buffer, kind)
    return SimpleUploadedFile("brush.png", buffer.getvalue(), "image/png")


def heavy() -> SimpleUploadedFile:
    """A good brush of too many bytes."""
    buffer = io.BytesIO()
    side_px = int(MAX_BRUSH_BYTES**0.5) + 1
    Image.new("L", (side_px, side_px)).save(buffer, "PNG", compress_level=0)
    return SimpleUploadedFile("brush.png", buffer.getvalue(), "image/png")


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        (lambda: brush(kind="BMP"), "BMP pictures are not accepted"),
        (lambda: brush(8000, 7000), "8000 x 7000 pixels"),
        (heavy, "larger than 4 MB"),
        (lambda: SimpleUploadedFile("brush.png", b"no picture"), "not a picture"),
    ],
    ids=["bmp", "pixels", "bytes", "text"],
)
def test_a_brush_is_a_png_within_the_limits_of_any_picture(
    alice: Person, job: Job, drawn: Callable[[], SimpleUploadedFile], reason: str
) -> None:
    answer = alice.api().post(f"/api/jobs/{job.pk}/variants", {"brush": drawn()})

    assert (answer.status_code, answer.json()["field"]) == (422, "brush")
    assert reason in answer.json()["detail"]


def test_a_brush_of_another_size_is_brought_to_the_pictures(alice: Person, job: Job) -> None:
    answer = alice.api().post(f"/api/jobs/{job.pk}/variants", {"brush": brush(64, 64)})

    assert Image.open(io.BytesIO(answer.content)).getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("deed", ["variants", "again"])
@pytest.mark.parametrize(("scope", "missing"), [(Scope.SUBMIT, "read"), (Scope.READ, "submit")])
def test_a_stored_picture_is_rendered_for_keys_that_read_and_submit(
    alice: Person, job: Job, deed: str, scope: str, missing: str
) -> None:
    _, secret = key_create(team=alice.team, name="half", scopes=[scope])

    answer = Client(headers={"Authorization": f"Bearer {secret}"}).post(f"/api/jobs/{job.pk}/{deed}", {})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert f"'{missing}'" in answer.json()["detail"]
    assert Job.objects.count() == 1


@pytest.mark.parametrize("deed", ["variants", "again"])
def test_a_colleague_who_renders_the_picture_is_recorded_as_who_opened_it(
    alice: Person, bob: Person, job: Job, deed: str
) -> None:
    address = f"/api/jobs/{job.pk}/{deed}"

    assert alice.browser().post(address, {}, "application/json").status_code < 300
    assert not AuditEntry.objects.filter(action="job.downloaded").exists()
    for _ in range(2):
        assert bob.browser().post(address, {}, "application/json").status_code < 300

    entry = AuditEntry.objects.get(action="job.downloaded")
    assert (entry.actor_name, entry.object_id) == ("bob", str(job.pk))


def test_a_rendering_is_kept_only_where_the_teams_storage_has_room(alice: Person, job: Job) -> None:
    set_quota(alice, stored_bytes=stored_bytes(alice.team) + 100)

    refused = alice.api().post(f"/api/jobs/{job.pk}/variants", {"keep": True}, "application/json")
    shown = alice.api().post(f"/api/jobs/{job.pk}/variants", {}, "application/json")

    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert shown.status_code == 200
    assert not Artifact.objects.filter(kind="variant").exists()


def test_a_rendering_of_a_picture_that_is_deleted_meanwhile_leaves_no_file(
    alice: Person, job: Job, django_capture_on_commit_callbacks: Callable
) -> None:
    image = job.images.get()
    rendered = Rendered(kind="cutout", data=b"x", content_type="image/png", extension=".png", width=1, height=1)
    with django_capture_on_commit_callbacks(execute=True):
        job_purge(actor=alice.actor, jobs=[job])

    with pytest.raises(JobNotFound):
        variant_keep(image=image, rendered=rendered)

    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
