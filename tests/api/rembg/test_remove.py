"""Tests of the rembg-compatible route `remove`, with a fake model whose result is known, and with curl.

The curl commands are those of rembg's README.
"""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from jobs.models import Job, ModelVersion, Role, Tier
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.stack import Stack

pytestmark = pytest.mark.django_db
URL = "/api/remove"


def remove(person: Person, picture: bytes, query: str = "", **fields: Any) -> Any:
    return person.api().post(f"{URL}?{query}", {"file": SimpleUploadedFile("photo.jpg", picture), **fields})


def opened(answer: Any) -> Image.Image:
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png"), answer.content
    return Image.open(io.BytesIO(answer.content))


def test_a_file_comes_back_as_a_transparent_png(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    picture = opened(remove(alice, jpeg_bytes))

    assert (picture.mode, picture.size) == ("RGBA", (512, 512))


def test_a_url_is_fetched_by_get(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = alice.api().post("/api/jobs/?wait=5", {"image": SimpleUploadedFile("a.jpg", jpeg_bytes)}).json()
    source = next(file["url"] for file in link["images"][0]["files"] if file["kind"] == "source")

    answer = alice.api().get(URL, {"url": source, "om": "true"})

    assert opened(answer).mode == "L"


@pytest.mark.parametrize(
    ("query", "corner"),
    [("bgc=10,200,30,255", (10, 200, 30, 255)), ("bgc=10,200,30,128", (10, 200, 30, 128)), ("bgc=1,2,3,0", None)],
)
def test_a_background_is_drawn(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, query: str, corner: tuple[int, ...] | None
) -> None:
    pixel = opened(remove(alice, jpeg_bytes, query)).convert("RGBA").getpixel((2, 2))

    assert pixel == corner if corner else pixel[3] == 0


def test_the_mask_is_binary_but_for_its_smooth_edge_with_ppm(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    mask = np.asarray(opened(remove(alice, jpeg_bytes, om="true", ppm="true")))

    assert ((mask == 0) | (mask == 255)).mean() > 0.9


def test_rectangles_of_a_prompt_become_boxes(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    prompt = {"sam_prompt": [{"type": "rectangle", "data": [10, 10, 300, 300]}], "model_path": "/etc/passwd"}

    opened(remove(alice, jpeg_bytes, extras=json.dumps(prompt)))

    assert instant_worker.calls == ["boxes"]


def test_numbers_without_effect_are_checked_and_noted(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    noted = remove(alice, jpeg_bytes, a="true", af="240", ab="10", ae="10")
    refused = remove(alice, jpeg_bytes, af="300")

    assert noted["X-Ignored-Fields"] == "af, ab, ae"
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "af"])


def test_an_error_is_told_where_the_parameter_was(alice: Person, jpeg_bytes: bytes) -> None:
    refused = remove(alice, jpeg_bytes, "bgc=255,0,0")

    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "bgc"])


@pytest.fixture
def fine_model(db: None) -> ModelVersion:
    return ModelVersion.objects.create(
        role=Role.SUBJECT, tier=Tier.FINE, name="isnet-general-use", path="isnet.onnx", sha256="1", is_active=True
    )


@pytest.mark.parametrize(
    ("fields", "quality"),
    [
        ({}, "fast"),
        ({"model": "isnet-general-use"}, "fine"),
        ({"model": "keyline-small"}, "fast"),
        ({"vm": "true"}, "fine"),
        ({"model": "keyline-small", "vm": "true"}, "fast"),
    ],
)
def test_an_installed_model_is_the_one_that_runs(
    alice: Person,
    jpeg_bytes: bytes,
    instant_worker: FakeEngine,
    fine_model: ModelVersion,
    fields: dict[str, str],
    quality: str,
) -> None:
    answer = remove(alice, jpeg_bytes, **fields)

    assert (answer.status_code, Job.objects.get().options["quality"]) == (200, quality)
    assert answer.get("X-Ignored-Fields") == ("vm" if "vm" in fields and quality == "fast" else None)


def test_a_model_is_refused_where_it_does_not_take_the_prompt(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, fine_model: ModelVersion
) -> None:
    prompt = json.dumps({"sam_prompt": [{"type": "rectangle", "data": [10, 10, 300, 300]}]})

    answer = remove(alice, jpeg_bytes, model="isnet-general-use", extras=prompt)

    assert (answer.status_code, "keyline-small" in answer.json()["detail"]) == (400, True)


def test_vm_without_a_fine_model_is_noted(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    assert remove(alice, jpeg_bytes, vm="true")["X-Ignored-Fields"] == "vm"


def test_errors_are_fastapis(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings) -> None:
    missing = alice.api().get(URL)
    unreadable = remove(alice, b"no picture")
    uninstalled = remove(alice, jpeg_bytes, model="birefnet-general")
    served = remove(alice, jpeg_bytes, model=Path(settings.MATTING_WEIGHTS).stem)

    assert (missing.status_code, missing.json()["detail"][0]) == (
        422,
        {"loc": ["query", "url"], "msg": "Field required", "type": "missing"},
    )
    assert (unreadable.status_code, type(unreadable.json()["detail"])) == (400, str)
    assert uninstalled.status_code == 400
    assert "fetch_weights" in uninstalled.json()["detail"]
    assert served.status_code == 200
    assert Client().get(URL).status_code == 401


@pytest.mark.e2e
def test_curl_as_the_readme_shows_it(live_stack: Stack, jpeg_bytes: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(jpeg_bytes)
    _, secret = live_stack.create_key(team="Studio")
    command = ["curl", "-sf", "-H", f"X-Api-Key: {secret}", "-F", f"file=@{tmp_path}/in.jpg"]

    subprocess.run([*command, "-o", str(tmp_path / "out.png"), f"{live_stack.base_url}{URL}"], check=True, timeout=120)

    assert Image.open(tmp_path / "out.png").mode == "RGBA"


def test_a_recipe_in_extras_gives_the_finished_picture(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    answer = remove(alice, jpeg_bytes, extras=json.dumps({"recipe": "taobao-white"}))
    unknown = remove(alice, jpeg_bytes, extras=json.dumps({"recipe": "nothing"}))

    assert Image.open(io.BytesIO(answer.content)).size == (800, 800)
    assert answer["Content-Type"] == "image/jpeg"
    assert unknown.status_code == 404
