"""Tests that finish a picture in the editor with canvas, placement, background, shadow and outline.

The tests find the controls only by visible labels.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_accessibility import faults_of
from tests.browser.test_walks import bag_with_pale_strap, button, cut_out, saved

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
RED, GREEN = (200, 30, 40), (10, 120, 60)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    path = tmp_path / "bag.jpg"
    bag_with_pale_strap().save(path, quality=92)
    return path


@pytest.fixture
def wall(tmp_path: Path) -> Path:
    """Return a background picture of 1200 x 600 pixels, red on the left and green on the right."""
    picture = Image.new("RGB", (1200, 600), RED)
    picture.paste(GREEN, (600, 0, 1200, 600))
    path = tmp_path / "wall.png"
    picture.save(path)
    return path


def choose_picture_behind(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as waiting:
        button(page, "Picture").click()
    waiting.value.set_files(file)
    expect(page.get_by_label("Background picture", exact=True)).to_be_visible()
    page.wait_for_function("() => document.getElementById('finish-picture').naturalWidth > 1")


def drag_on_canvas(page: Page, right: float, down: float) -> None:
    """Drag from the middle of the finished picture. right, down: the distance as a fraction of its width and height."""
    frame = page.get_by_role("group", name="Finished picture").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right * frame["width"] / 2, y + down * frame["height"] / 2)
    page.mouse.move(x + right * frame["width"], y + down * frame["height"])
    page.mouse.up()


def pinch_on_canvas(page: Page, factor: float) -> None:
    """Spread two fingers on the finished picture, from 40 pixels to `factor` times 40 pixels from its middle."""
    frame = page.get_by_role("group", name="Finished picture").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, away in (("touchStart", 40), ("touchMove", 20 + 20 * factor), ("touchMove", 40 * factor)):
        fingers = [{"x": x - away, "y": y, "id": 0}, {"x": x + away, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def download(page: Page) -> np.ndarray:
    """Download the picture and return it as (h, w, 3) int."""
    return np.asarray(saved(page, button(page, "Download")).convert("RGB")).astype(int)


def leather_of(pixels: np.ndarray) -> tuple[float, float, float]:
    """Return the middle (x, y) and the height of the bag's leather, as fractions of the picture's width and height."""
    red, green, blue = (pixels[..., channel] for channel in range(3))
    rows, columns = np.nonzero((abs(red - 135) < 30) & (abs(green - 66) < 24) & (abs(blue - 35) < 24))
    height, width = pixels.shape[:2]
    top, bottom = np.percentile(rows, (0.5, 99.5))
    return float(np.median(columns)) / width, float((top + bottom) / 2) / height, float(bottom - top) / height


def test_a_square_with_a_photo_behind_is_made_by_hand_saved_and_there_again(
    sign_up: Callable[..., Visitor], bag: Path, wall: Path
):
    page = sign_up().page
    cut_out(page, bag)
    button(page, "Finish").click()
    page.get_by_label("Canvas", exact=True).select_option("Square 1:1")
    before = leather_of(download(page))

    choose_picture_behind(page, wall)
    drag_on_canvas(page, 0.2, 0)
    button(page, "Subject").click()
    page.get_by_role("slider", name="Size of the subject").fill("0.5")
    drag_on_canvas(page, -0.2, 0)
    page.get_by_role("group", name="Finished picture").press("Shift+ArrowDown")
    page.get_by_label("Shadow", exact=True).select_option("Drop, floating")
    page.get_by_role("slider", name="Outline").fill("20")
    pixels = download(page)

    side = pixels.shape[0]
    assert pixels.shape == (side, side, 3)
    assert pixels[5, round(0.66 * side)] == pytest.approx(RED, abs=6)
    assert pixels[5, round(0.74 * side)] == pytest.approx(GREEN, abs=6)
    x, y, height = leather_of(pixels)
    assert x == pytest.approx(0.5 + (before[0] - 0.5) / 2 - 0.2, abs=0.02)
    assert y == pytest.approx(0.5 + (before[1] - 0.5) / 2 + 0.05, abs=0.02)
    assert height == pytest.approx(before[2] / 2, abs=0.02)
    row = pixels[round(y * side)]
    assert (row.min(axis=1) > 245).sum() == pytest.approx(2 * 0.02 * side, abs=4)  # the white outline on both sides

    page.get_by_label("More files").click()
    page.get_by_role("button", name="Save this version").first.click()
    expect(page.get_by_text("Saved as a version of this picture.")).to_be_visible()
    page.reload()
    expect(button(page, "Download")).to_be_enabled()
    button(page, "Finish").click()
    expect(page.get_by_label("Shadow", exact=True)).to_have_value("drop")
    assert np.abs(download(page) - pixels).max() == 0


def test_the_result_alone_is_what_is_downloaded_and_can_be_dragged_out(sign_up: Callable[..., Visitor], bag: Path):
    page = sign_up().page
    cut_out(page, bag)
    button(page, "Finish").click()
    page.get_by_label("Canvas", exact=True).select_option("Story 9:16")
    button(page, "Gradient").click()
    page.get_by_label("First colour").fill("#ff0000")
    page.get_by_label("Second colour").fill("#0000ff")
    button(page, "Result").click()
    canvas = page.get_by_role("group", name="Finished picture")
    page.evaluate(
        "() => document.addEventListener('dragstart', (event) => {"
        " window.dragged = [event.dataTransfer.files.length, event.dataTransfer.getData('DownloadURL')]; })"
    )

    canvas.hover()
    expect(page.get_by_text("Drag the picture out of the page to save it.")).to_be_visible()
    drag_on_canvas(page, 0.1, 0.1)
    page.wait_for_function("() => window.dragged")
    story = "(layer) => Math.abs(layer.naturalWidth * 16 - layer.naturalHeight * 9) <= 16 && layer.naturalWidth > 0"
    layer = page.get_by_role("img", name="The subject")
    page.wait_for_function(story, arg=layer.element_handle())
    seen = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).astype(int)
    picture = saved(page, button(page, "Download"))

    files, address = page.evaluate("() => window.dragged")
    assert (files, address.split(":blob:")[0]) == (1, "image/png:bag-cutout.png")
    assert picture.width * 16 == pytest.approx(picture.height * 9, abs=16)
    small = np.asarray(picture.convert("RGB").resize(seen.shape[1::-1])).astype(int)
    assert np.abs(small - seen).mean() < 8
    assert small[3, 3] == pytest.approx((255, 0, 0), abs=12)


def test_undo_goes_back_through_the_finish_and_the_photo_can_be_blurred(sign_up: Callable[..., Visitor], bag: Path):
    page = sign_up().page
    cut_out(page, bag)
    button(page, "Finish").click()
    page.get_by_label("Canvas", exact=True).select_option("Etsy listing 2700 × 2025")
    button(page, "Blurred photo").click()
    drag_on_canvas(page, 0.1, 0)
    moved = download(page)
    button(page, "Undo").click()
    centred = download(page)
    button(page, "Undo").click()
    button(page, "Undo").click()

    expect(page.get_by_label("Canvas", exact=True)).to_have_value("")
    assert moved.shape == centred.shape == (2025, 2700, 3)
    assert leather_of(moved)[0] - leather_of(centred)[0] == pytest.approx(0.1, abs=0.01)
    assert np.abs(moved[:200] - centred[:200]).mean() < 2  # the photo behind stays
    assert centred[100, 100] == pytest.approx((214, 208, 198), abs=16)  # the wall of the photo


def test_the_whole_result_is_compared_and_a_hidden_side_has_no_label(sign_up: Callable[..., Visitor], bag: Path):
    page = sign_up().page
    cut_out(page, bag)
    original, cutout = page.get_by_text("Original", exact=True).first, page.get_by_text("Cutout", exact=True)
    split = page.get_by_role("slider", name="Before and after")
    expect(original).to_be_visible()
    expect(cutout).to_be_visible()

    split.fill("0")
    expect(original).to_be_hidden()
    expect(cutout).to_be_visible()
    split.fill("100")
    expect(original).to_be_visible()
    expect(cutout).to_be_hidden()


def test_on_a_phone_the_settings_lie_next_to_the_stage_and_two_fingers_resize(
    sign_up: Callable[..., Visitor], bag: Path
):
    page = sign_up(viewport=PHONE, has_touch=True, is_mobile=True).page
    cut_out(page, bag)
    button(page, "Finish").click()

    stage = page.get_by_role("region", name="Picture", exact=True).bounding_box()
    first = page.get_by_label("Canvas", exact=True).bounding_box()
    go = button(page, "Download").bounding_box()
    assert stage is not None
    assert first is not None
    assert go is not None
    assert 0 < first["y"] - (stage["y"] + stage["height"]) < 120
    assert go["y"] + go["height"] < PHONE["height"]  # always in reach

    pinch_on_canvas(page, 1.5)
    size = page.get_by_role("slider", name="Size of the subject")
    expect(size).to_have_value(re.compile(r"^1\.(48|49|5|50|51|52)$"))
    button(page, "Undo").click()
    expect(size).to_have_value("1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_finish_has_no_accessibility_faults(sign_up: Callable[..., Visitor], bag: Path, wall: Path, scheme: str):
    visitor = sign_up(color_scheme=scheme)
    page = visitor.page
    cut_out(page, bag)
    button(page, "Finish").click()
    page.get_by_label("Canvas", exact=True).select_option("Own size…")
    page.get_by_label("Shadow", exact=True).select_option("Cast by a light")
    page.get_by_role("slider", name="Outline").fill("5")
    choose_picture_behind(page, wall)
    faults = faults_of(visitor)
    button(page, "Result").click()

    assert faults + faults_of(visitor) == []
