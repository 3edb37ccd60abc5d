"""Tests of the native API: the route `variants` renders a result with other options; `again` runs the model again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from jobs.errors import JobNotFound
from jobs.models import Artifact, AuditEntry, Job, JobImage, Scope
from jobs.quota.selectors import stored_bytes
from jobs.results.variants import MAX_BRUSH_BYTES, variant_keep
from jobs.teams.keys import key_create
from jobs.work.removal import images_delete
from jobs.work.retention import job_purge
from segmentation.variant import VariantFile
from tests import photos
from tests.cast import Person
from tests.quota.actions import set_quota

from .sent import files_of, photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> Job:
    """Return a finished job of Alice with one picture of 512 x 512 pixels."""
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("cat.jpg", jpeg_bytes)})
    return Job.objects.get()


def brush(width: int = 512, height: int = 512, *, kind: str = "PNG") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 0).save(buffer, kind)
    return SimpleUploadedFile("brush.png", buffer.getvalue(), "image/png")


def heavy() -> SimpleUploadedFile:
    """Return a valid brush file (the picture of the user's brush strokes) that is larger than the limit."""
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

    assert Image.open(io.BytesIO(answer.getvalue())).getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("action", ["variants", "again"])
@pytest.mark.parametrize(("scope", "missing"), [(Scope.SUBMIT, "read"), (Scope.READ, "submit")])
def test_a_stored_picture_is_rendered_for_keys_that_read_and_submit(
    alice: Person, job: Job, action: str, scope: str, missing: str
) -> None:
    _, secret = key_create(team=alice.team, name="half", scopes=[scope])

    answer = Client(headers={"Authorization": f"Bearer {secret}"}).post(f"/api/jobs/{job.pk}/{action}", {})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert f"'{missing}'" in answer.json()["detail"]
    assert Job.objects.count() == 1


@pytest.mark.parametrize("action", ["variants", "again"])
def test_a_colleague_who_renders_the_picture_is_recorded_as_who_opened_it(
    alice: Person, bob: Person, job: Job, action: str
) -> None:
    url = f"/api/jobs/{job.pk}/{action}"

    assert alice.browser().post(url, {}, "application/json").status_code < 300
    assert not AuditEntry.objects.filter(action="job.downloaded").exists()
    for _ in range(2):
        assert bob.browser().post(url, {}, "application/json").status_code < 300

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
    alice: Person, job: Job, django_capture_on_commit_callbacks: Callable, tmp_path: Path
) -> None:
    image = job.images.get()
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    rendered = VariantFile(path, "image/png", ".png", width=1, height=1, timings_ms={})
    with django_capture_on_commit_callbacks(execute=True):
        job_purge(actor=alice.actor, jobs=[job])

    with pytest.raises(JobNotFound):
        variant_keep(image=image, rendered=rendered)

    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert not path.exists()


def test_a_variant_needs_no_model_and_equals_the_first_rendering(alice: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    original = alice.api().get(files_of(job, "cutout")[0]["url"])
    instant_worker.calls.clear()

    same = alice.api().post(f"/api/jobs/{job['id']}/variants", {}, "application/json")
    on_white = alice.api().post(
        f"/api/jobs/{job['id']}/variants", {"background": "#ffffff", "format": "jpeg"}, "application/json"
    )

    assert instant_worker.calls == []
    assert same.getvalue() == b"".join(original.streaming_content)
    corner = Image.open(io.BytesIO(on_white.getvalue())).getpixel((3, 3))
    assert min(corner) > 250


def test_a_kept_variant_is_stored_beside_the_result(alice: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()

    kept = alice.api().post(f"/api/jobs/{job['id']}/variants", {"keep": True, "erosion": 3}, "application/json")

    assert kept.status_code == 201
    assert kept.json()["kind"] == "variant"
    assert alice.api().get(kept.json()["url"]).status_code == 200


def test_the_brush_erases_and_restores_alpha(alice: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
    strokes = Image.new("L", (512, 512), 128)
    strokes.paste(0, (200, 200, 300, 300))
    strokes.paste(255, (0, 0, 40, 40))
    buffer = io.BytesIO()
    strokes.save(buffer, "PNG")

    answer = alice.api().post(
        f"/api/jobs/{job['id']}/variants", {"brush": SimpleUploadedFile("brush.png", buffer.getvalue(), "image/png")}
    )

    alpha = np.asarray(Image.open(io.BytesIO(answer.getvalue())))[..., 3]
    assert alpha[250, 250] == 0
    assert alpha[20, 20] == 255
    assert alpha[256, 350] == 255


def test_again_runs_the_model_on_the_stored_source(alice: Person, jpeg_bytes, instant_worker):
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes, "cat.jpg")}).json()

    again = (
        alice.api()
        .post(f"/api/jobs/{job['id']}/again?wait=5", {"boxes": [[10, 10, 200, 200]]}, "application/json")
        .json()
    )

    assert again["id"] != job["id"]
    assert again["images"][0]["name"] == "cat.jpg"
    assert instant_worker.calls == ["auto", "boxes"]


def test_people_can_be_dropped_from_a_variant(alice: Person, jpeg_bytes, instant_worker):
    job = (
        alice.api()
        .post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes), "method": "instances", "outputs": "cutout,mask"})
        .json()
    )
    assert [person["id"] for person in job["images"][0]["instances"]] == [1, 2]

    answer = alice.api().post(f"/api/jobs/{job['id']}/variants", {"people": [1]}, "application/json")

    alpha = np.asarray(Image.open(io.BytesIO(answer.getvalue())))[..., 3]
    assert alpha[256, 140] > 200
    assert alpha[256, 380] == 0


def test_a_form_names_people_by_commas_and_none_by_an_empty_string(alice: Person, jpeg_bytes, instant_worker):
    job = (
        alice.api()
        .post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes), "method": "instances", "outputs": "cutout,mask"})
        .json()
    )

    def alpha_of(people: object) -> np.ndarray:
        answer = alice.api().post(f"/api/jobs/{job['id']}/variants", {"people": people})
        assert answer.status_code == 200
        return np.asarray(Image.open(io.BytesIO(answer.getvalue())))[..., 3]

    for both in ("1,2", ["1", "2"]):
        assert min(alpha_of(both)[256, [140, 370]]) > 200
    assert alpha_of("").max() == 0


def test_a_picture_is_named_by_its_position_whatever_was_deleted_before_it(
    alice: Person, jpeg_bytes, png_bytes, instant_worker
):
    small = photos.encode(photos.astronaut()[:48, :64], "PNG")
    sent = {"image": [photo(png_bytes), photo(jpeg_bytes), photo(small)]}
    job = alice.api().post("/api/jobs/?wait=5", sent).json()
    images_delete(actor=alice.actor, images=JobImage.objects.filter(position=0))

    def size_at(**position: int) -> tuple[int, int]:
        answer = alice.api().post(f"/api/jobs/{job['id']}/variants", position, "application/json")
        return Image.open(io.BytesIO(answer.getvalue())).size

    assert size_at(position=2) == (64, 48)
    assert size_at() == (512, 512)
    for gone in (0, 3, 10**30):
        answer = alice.api().post(f"/api/jobs/{job['id']}/again", {"position": gone}, "application/json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
