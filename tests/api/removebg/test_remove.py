"""Tests of the remove.bg-compatible routes `removebg` and `account`, with a fake model whose result is known."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests import photos
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.jobs.site import Site, redirect
from tests.quota.actions import set_quota

pytestmark = pytest.mark.django_db
URL = "/v1.0/removebg"
ANYTHING = {"Accept": "*/*"}


def remove(person: Person, picture: bytes, accept: str = "*/*", **fields: Any) -> Any:
    body = {"image_file": SimpleUploadedFile("photo.jpg", picture), **fields}
    return Client(headers={"x-api-key": person.secret, "Accept": accept}).post(URL, body)


def opened(answer: Any) -> Image.Image:
    assert answer.status_code == 200, answer.content
    return Image.open(io.BytesIO(answer.content))


def alpha_of(answer: Any) -> np.ndarray:
    return np.asarray(opened(answer).convert("RGBA"))[..., 3]


@pytest.mark.parametrize(
    ("size", "expected"), [("preview", (500, 500)), ("full", (512, 512)), ("auto", (512, 512)), ("hd", (512, 512))]
)
def test_the_result_is_scaled_down_to_its_size(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, size: str, expected: tuple[int, int]
) -> None:
    answer = remove(alice, jpeg_bytes, size=size)

    picture = opened(answer)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", expected)
    assert (answer["X-Width"], answer["X-Max-Width"]) == (str(expected[0]), "512")
    assert answer["X-Credits-Charged"] == ("0.25" if size == "preview" else "1")


def test_the_headers_describe_the_subject(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    answer = remove(alice, jpeg_bytes, size="full")

    rows, columns = np.nonzero(alpha_of(answer))
    assert int(answer["X-Foreground-Top"]) == rows.min()
    assert int(answer["X-Foreground-Left"]) == columns.min()
    assert int(answer["X-Foreground-Width"]) == columns.max() + 1 - columns.min()
    assert answer["X-Type"] in ("person", "other")
    assert int(answer["X-RateLimit-Remaining"]) < int(answer["X-RateLimit-Limit"])
    assert remove(alice, jpeg_bytes, type_level="none")["X-Type"] == "none"


def test_json_holds_the_same_picture(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    data = remove(alice, jpeg_bytes, accept="application/json", size="full").json()["data"]

    assert base64.b64decode(data["result_b64"]) == remove(alice, jpeg_bytes, size="full").content
    assert data["foreground_width"] > 0


@pytest.mark.parametrize(
    ("fields", "kind", "content_type"),
    [
        ({}, "PNG", "image/png"),
        ({"bg_color": "81d4fa"}, "JPEG", "image/jpeg"),
        ({"bg_color": "81d4fa77"}, "PNG", "image/png"),
        ({"format": "jpg"}, "JPEG", "image/jpeg"),
        ({"format": "webp"}, "WEBP", "image/webp"),
        ({"format": "png", "bg_color": "green"}, "PNG", "image/png"),
    ],
)
def test_format_auto_is_png_where_the_result_is_transparent(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, fields: dict[str, str], kind: str, content_type: str
) -> None:
    answer = remove(alice, jpeg_bytes, **fields)

    assert (opened(answer).format, answer["Content-Type"]) == (kind, content_type)


def test_a_zip_holds_colour_and_alpha_and_is_smaller(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    answer, png = (remove(alice, jpeg_bytes, size="full", format=kind) for kind in ("zip", "png"))

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == ["color.jpg", "alpha.png"]
    alpha = np.asarray(Image.open(archive.open("alpha.png")))
    assert np.array_equal(alpha, alpha_of(png))
    assert len(answer.content) < len(png.content)


def test_crop_scale_and_position_place_the_subject(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    full = remove(alice, jpeg_bytes, size="full")
    width, height = int(full["X-Foreground-Width"]), int(full["X-Foreground-Height"])

    cropped = remove(alice, jpeg_bytes, size="full", crop="true")
    margin = remove(alice, jpeg_bytes, size="full", crop="true", crop_margin="10px 20px")
    half = remove(alice, jpeg_bytes, size="full", scale="50%", position="0% 100%")

    assert opened(cropped).size == (width, height)
    assert opened(margin).size == (width + 40, height + 20)
    assert max(int(half["X-Foreground-Width"]), int(half["X-Foreground-Height"])) == pytest.approx(256, abs=2)
    assert int(half["X-Foreground-Left"]) <= 1
    assert int(half["X-Foreground-Top"]) + int(half["X-Foreground-Height"]) >= 511


def test_nothing_outside_the_region_is_kept(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    alpha = alpha_of(remove(alice, jpeg_bytes, size="full", roi="0% 0% 50% 100%"))

    assert alpha[:, :256].any()
    assert not alpha[:, 256:].any()
    assert instant_worker.calls == ["boxes"]


def test_alpha_alone_and_without_semitransparency(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    mask = opened(remove(alice, jpeg_bytes, size="full", channels="alpha"))
    hard = alpha_of(remove(alice, jpeg_bytes, size="full", semitransparency="false"))

    assert mask.mode == "L"
    assert set(np.unique(hard)) == {0, 255}


def test_a_background_picture_fills_the_canvas(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    behind = photos.encode(np.full((40, 90, 3), (10, 200, 30), np.uint8), "PNG")

    picture = opened(remove(alice, jpeg_bytes, format="png", bg_image_file=SimpleUploadedFile("b.png", behind)))

    assert picture.convert("RGB").getpixel((2, 2)) == (10, 200, 30)


def test_a_background_whose_server_redirects_to_no_address_is_refused(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Any
) -> None:
    site = Site({"/b.png": redirect("//[")})
    settings.MATTING_FETCH_ALLOW = [f"127.0.0.1:{site.port}"]
    site.thread.start()
    with site.server:
        answer = remove(alice, jpeg_bytes, bg_image_url=site.url("/b.png"))
        site.server.shutdown()

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_image_url")
    assert site.paths == ["/b.png"]
    assert not alice.team.jobs.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"shadow_type": "drop"},
        {"shadow_type": "3D"},
        {"shadow_type": "car"},
        {"shadow_type": "auto", "type": "product"},
        {"add_shadow": "true"},
    ],
    ids=lambda fields: ",".join(fields.values()),
)
def test_a_shadow_lies_below_the_subject(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, fields: dict[str, str]
) -> None:
    kept = {"size": "full", "type": fields.get("type", "auto")}

    plain, shaded = remove(alice, jpeg_bytes, **kept), remove(alice, jpeg_bytes, **{**kept, **fields})

    before, after = (np.asarray(opened(answer)) for answer in (plain, shaded))
    added = (before[..., 3] == 0) & (after[..., 3] > 10)
    solid = before[..., 3] == 255
    assert added.sum() > 300
    assert after[added][:, :3].max() == 0
    assert np.array_equal(after[solid], before[solid])
    assert shaded["X-Foreground-Height"] == plain["X-Foreground-Height"]


def test_the_opacity_of_a_shadow_is_a_share_of_its_usual_strength(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    def darkest(**fields: str) -> int:
        return int(alpha_of(remove(alice, jpeg_bytes, size="full", **fields))[outside].max())

    outside = alpha_of(remove(alice, jpeg_bytes, size="full")) == 0
    usual = darkest(shadow_type="drop")

    assert darkest(shadow_type="drop", shadow_opacity="50") == pytest.approx(usual / 2, abs=2)
    assert darkest(shadow_type="drop", shadow_opacity="0") == 0
    assert darkest(shadow_type="none") == 0


def test_the_mask_alone_has_no_shadow(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    plain, shaded = (remove(alice, jpeg_bytes, channels="alpha", shadow_type=name).content for name in ("none", "drop"))

    assert shaded == plain


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"image_url": "https://a.example/b.jpg"}, "multiple_sources"),
        ({"size": "huge"}, "invalid_parameter"),
        ({"roi": "1 2 3"}, "invalid_parameter"),
        ({"scale": "5%"}, "invalid_parameter"),
        ({"bg_color": "no colour"}, "invalid_parameter"),
        ({"bg_color": "fff", "bg_image_url": "https://a.example/b.jpg"}, "invalid_parameter"),
    ],
)
def test_a_bad_request_is_refused_before_it_is_charged(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, fields: dict[str, str], code: str
) -> None:
    answer = remove(alice, jpeg_bytes, **fields)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert not alice.team.jobs.exists()


def test_other_errors_have_the_vendors_codes(alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    def code_of(answer: Any) -> tuple[int, str]:
        return answer.status_code, answer.json()["errors"][0]["code"]

    assert code_of(alice.api().post(URL, {})) == (400, "missing_source")
    assert code_of(remove(alice, b"no picture")) == (400, "failed_to_read_image")
    assert code_of(Client().post(URL, {})) == (403, "missing_api_key")
    assert code_of(Client(headers={"X-Api-Key": "wrong"}).post(URL, {})) == (403, "auth_failed")
    set_quota(alice, images_per_month=0)
    assert code_of(remove(alice, jpeg_bytes)) == (402, "insufficient_credits")


def test_a_picture_without_a_subject_is_unknown_foreground(
    alice: Person, jpeg_bytes: bytes, blind_worker: FakeEngine
) -> None:
    assert remove(alice, jpeg_bytes).json()["errors"][0]["code"] == "unknown_foreground"


def test_the_account_shows_what_is_left_this_month(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    set_quota(alice, images_per_month=50)
    remove(alice, jpeg_bytes)

    credits = alice.api().get("/v1.0/account").json()["data"]["attributes"]["credits"]

    assert credits == {"total": 49, "subscription": 49, "payg": 0, "enterprise": 0}
