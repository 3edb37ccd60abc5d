"""Tests of the native API: a request with a recipe, as the editor sends it, returns a finished picture."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from jobs.models import BackgroundPicture
from tests.cast import Person

pytestmark = pytest.mark.django_db
JSON = "application/json"
SQUARE: dict[str, Any] = {
    "canvas": {"width_px": 300, "height_px": 300},
    "placement": {"fill": 0.5},
    "background": {"type": "color", "color": "#1060f0"},
    "outputs": [{"format": "png"}],
}


def pixels_of(answer: Any) -> np.ndarray:
    """Return the picture of a response as (h, w, 3) int."""
    return np.asarray(Image.open(io.BytesIO(answer.getvalue())).convert("RGB")).astype(int)


def variant(person: Person, job: dict[str, Any], **values: Any) -> Any:
    return person.api().post(f"/api/jobs/{job['id']}/variants", values, JSON)


def subject_middle(pixels: np.ndarray) -> tuple[float, float]:
    """Return the middle (x, y) of the subject, as fractions 0..1 of the canvas width and height.

    The subject is all pixels that differ from the background colour of the recipe SQUARE.
    """
    rows, columns = np.nonzero(np.abs(pixels - (0x10, 0x60, 0xF0)).max(axis=2) > 24)
    return float(columns.mean() / pixels.shape[1]), float(rows.mean() / pixels.shape[0])


def test_a_result_is_finished_moved_and_scaled_by_hand(alice: Person, job: dict[str, Any]) -> None:
    hand = {"placement": {"fill": 0.5, "zoom": 0.5, "shift": [0.2, -0.1]}}

    before, after = (variant(alice, job, finish=SQUARE | change) for change in ({}, hand))

    assert (before.status_code, before["Content-Type"]) == (200, "image/png")
    pixels = pixels_of(before)
    assert pixels.shape == (300, 300, 3)
    (x0, y0), (x1, y1) = subject_middle(pixels), subject_middle(pixels_of(after))
    assert x1 == pytest.approx(0.5 + (x0 - 0.5) * 0.5 + 0.2, abs=0.02)
    assert y1 == pytest.approx(0.5 + (y0 - 0.5) * 0.5 - 0.1, abs=0.02)


def test_the_screen_shows_what_is_downloaded(alice: Person, job: dict[str, Any]) -> None:
    finish = SQUARE | {"shadow": {"type": "drop"}, "outline": {"width": 0.02, "color": "#ffffff"}}

    shown = pixels_of(variant(alice, job, finish=finish, for_screen=True))
    saved = pixels_of(variant(alice, job, finish=finish))

    assert shown.shape == saved.shape
    assert np.abs(shown - saved).mean() < 4


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"placement": {"shift": [0, 9]}}, "finish.placement.shift.1"),
        ({"placement": {"zoom": 100}}, "finish.placement.zoom"),
        ({"canvas": {"width_px": 90_000, "height_px": 10}}, "finish.canvas.width_px"),
        ({"background": {"type": "picture", "picture": "wall", "zoom": 0}}, "finish.background.zoom"),
        ({"outline": {"width": 0.01, "color": "reddish"}}, "finish.outline.color"),
        ({"glitter": True}, "finish.glitter"),
    ],
)
def test_a_wrong_field_of_a_finish_is_named_wherever_it_is_sent(
    alice: Person, job: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    finish = SQUARE | change
    address = f"/api/jobs/{job['id']}"

    rendered = variant(alice, job, finish=finish)
    saved = alice.api().post(f"{address}/versions/", {"finish": finish}, JSON)
    kept = alice.api().put(f"{address}/edit", {"edit": {"finish": finish}}, JSON)

    for answer in (rendered, saved, kept):
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_finish_that_is_no_object_or_stands_beside_a_recipe_is_refused(alice: Person, job: dict[str, Any]) -> None:
    for values in ({"finish": ["square"]}, {"finish": SQUARE, "recipe": "ebay"}):
        answer = variant(alice, job, **values)
        assert (answer.status_code, answer.json()["field"]) == (422, "finish")


def test_a_background_that_the_team_does_not_have_is_named(alice: Person, job: dict[str, Any]) -> None:
    answer = variant(alice, job, finish=SQUARE | {"background": {"type": "picture", "picture": "wall"}})

    assert (answer.status_code, answer.json()["field"]) == (404, "background.picture")


def test_a_finished_version_comes_back_with_its_edit_and_its_thumbnail(alice: Person, job: dict[str, Any]) -> None:
    edit = {"options": {"erosion": 2}, "finish": SQUARE}

    saved = alice.api().post(f"/api/jobs/{job['id']}/versions/", {"finish": SQUARE, "edit": edit}, JSON)

    assert saved.status_code == 201
    assert pixels_of(alice.api().get(saved.json()["file"]["url"])).shape == (300, 300, 3)
    small = pixels_of(alice.api().get(saved.json()["thumbnail"]))
    assert small.shape[0] == small.shape[1]
    assert small[2, 2] == pytest.approx([0x10, 0x60, 0xF0], abs=12)
    assert alice.browser().get(f"/jobs/{job['id']}/").context["edit_json"] == {"version": 2, "edit": edit}


def test_a_version_may_be_finished_by_a_stored_recipe(alice: Person, job: dict[str, Any]) -> None:
    address = f"/api/jobs/{job['id']}/versions/"

    saved = alice.api().post(address, {"recipe": "instagram-square"}, JSON)

    assert saved.status_code == 201
    assert pixels_of(alice.api().get(saved.json()["file"]["url"])).shape == (1080, 1080, 3)
    assert alice.api().post(address, {"recipe": "no-such"}, JSON).status_code == 404


@pytest.mark.parametrize("field", ["keep", "for_screen", "output"])
def test_a_version_is_always_one_stored_file_of_full_size(alice: Person, job: dict[str, Any], field: str) -> None:
    answer = alice.api().post(f"/api/jobs/{job['id']}/versions/", {field: 1}, JSON)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_form_with_a_brush_takes_a_finish_as_json_and_a_kept_one_is_one_file(
    alice: Person, job: dict[str, Any]
) -> None:
    erased = io.BytesIO()
    Image.new("L", (64, 64), 0).save(erased, "PNG")
    values = {
        "finish": json.dumps(SQUARE | {"outputs": [{"format": "webp"}, {"format": "jpeg"}]}),
        "brush": SimpleUploadedFile("brush.png", erased.getvalue(), "image/png"),
        "keep": "true",
    }

    kept = alice.api().post(f"/api/jobs/{job['id']}/variants", values)

    assert (kept.status_code, kept.json()["content_type"]) == (201, "image/webp")
    pixels = pixels_of(alice.api().get(kept.json()["url"]))
    assert np.abs(pixels - (0x10, 0x60, 0xF0)).max() < 8  # the subject is erased


def test_a_background_picture_is_shown_at_screen_size_to_its_team_only(alice: Person, charlie: Person) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (2400, 1200), (200, 30, 40)).save(drawn, "JPEG")
    file = SimpleUploadedFile("wall.jpg", drawn.getvalue(), "image/jpeg")
    assert alice.api().post("/api/backgrounds/", {"name": "wall 1", "image": file}).status_code == 201

    shown = alice.api().get("/api/backgrounds/wall%201/")
    stranger = charlie.api().get("/api/backgrounds/wall%201/")

    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(shown.getvalue())).size == (1600, 800)
    assert stranger.status_code == 404
    assert BackgroundPicture.objects.get().width == 2400
