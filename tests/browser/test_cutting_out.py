"""Tests of a user's work with one picture: upload, view, draw a box, adjust, download, and find the picture again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
FINISHED = "#stage:not(.is-empty) #after[src]"


def cut_out(page: Page, file: Path) -> None:
    """Upload one picture and wait until its page shows the result."""
    page.goto("/")
    page.set_input_files("#files", file)
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(FINISHED)
    wait_until_quiet(page)


def wait_until_quiet(page: Page) -> None:
    page.wait_for_function(
        "() => document.getElementById('stage-note').hidden && document.getElementById('after').complete"
        " && document.getElementById('after').naturalWidth > 0"
    )


def downloaded(page: Page, press: Callable[[], None]) -> Image.Image:
    with page.expect_download() as waiting:
        press()
    return Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))


def drag_box(page: Page, box: tuple[float, float, float, float]) -> None:
    """Draw a box on the displayed picture. box: left, top, right, bottom in pixels of the picture."""
    left, top, right, bottom = box
    corners = page.evaluate(
        """([l, t, r, b]) => {
            const frame = document.getElementById('boxes').getBoundingClientRect();
            const view = document.getElementById('boxes').getAttribute('viewBox');
            const [width, height] = view.split(' ').slice(2).map(Number);
            const at = (x, y) => [frame.left + (x / width) * frame.width, frame.top + (y / height) * frame.height];
            return [...at(l, t), ...at(r, b)];
        }""",
        [left, top, right, bottom],
    )
    page.mouse.move(corners[0], corners[1])
    page.mouse.down()
    page.mouse.move((corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2)
    page.mouse.move(corners[2], corners[3])
    page.mouse.up()


def boxes_that_arrived(page: Page, *, only_shown: bool = False) -> list[list[int]]:
    """Return the stored boxes of the picture's newest version, or of the displayed version if `only_shown` is True."""
    job = page.url.rstrip("/").split("/jobs/")[1].split("/")[0]
    return page.evaluate(
        """async ([id, onlyShown]) => {
            const read = async (url) => (await fetch(url)).json();
            const versions = (await read(`/api/jobs/${id}/versions/`)).versions;
            const newest = versions.filter((version) => version.is_shown || !onlyShown).at(-1);
            return (await read(`/api/jobs/${newest.job}/`)).options.boxes;
        }""",
        [job, only_shown],
    )


def test_a_photo_is_cut_out_and_its_pixels_are_right(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page

    cut_out(page, photo_files[0])
    picture = downloaded(page, lambda: page.click("#download"))

    assert (picture.mode, picture.size) == ("RGBA", (512, 512))
    alpha = np.asarray(picture)[..., 3]
    assert alpha[150:350, 180:280].mean() > 200  # her face and suit
    assert 0.1 < (alpha > 127).mean() < 0.95


def test_three_photos_become_one_batch_with_a_zip(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page

    page.set_input_files("#files", photo_files)
    page.wait_for_function("() => document.querySelectorAll('.tray-item').length === 3")
    page.wait_for_selector("#go:not([disabled])")
    page.click("#go")
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(".badge.succeeded")

    expect(page.locator(".thumb img")).to_have_count(3)
    with page.expect_download() as waiting:
        page.click("a[href$='/zip']")
    assert waiting.value.suggested_filename.endswith(".zip")


@pytest.mark.parametrize("zoom", [0, 2])
def test_a_drawn_box_arrives_in_the_pictures_own_pixels(sign_up: Callable[..., Visitor], photo_files, zoom):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=boxes]")
    for _ in range(zoom):
        page.click("#zoom-in")

    with page.expect_response(lambda response: "/again" in response.url):
        drag_box(page, (200, 150, 330, 300))
    wait_until_quiet(page)

    [box] = boxes_that_arrived(page)
    assert np.abs(np.array(box) - (200, 150, 330, 300)).max() <= 2


def test_a_box_on_a_photo_with_exif_rotation_lies_on_the_upright_picture(
    sign_up: Callable[..., Visitor], photo_files, tmp_path
):
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(photo_files[2]).save(turned, exif=exif)
    page = sign_up().page
    cut_out(page, turned)
    page.click("[data-tool=boxes]")

    with page.expect_response(lambda response: "/again" in response.url):
        drag_box(page, (50, 100, 350, 500))
    wait_until_quiet(page)

    [box] = boxes_that_arrived(page)
    assert np.abs(np.array(box) - (50, 100, 350, 500)).max() <= 2


def test_a_box_on_a_phone_lies_where_it_was_drawn(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2).page
    cut_out(page, photo_files[0])
    page.get_by_role("button", name="Boxes", exact=True).click()

    with page.expect_response(lambda response: "/again" in response.url):
        drag_box(page, (100, 100, 400, 400))
    wait_until_quiet(page)

    [box] = boxes_that_arrived(page)
    assert np.abs(np.array(box) - (100, 100, 400, 400)).max() <= 3


def test_a_box_is_moved_resized_nudged_undone_and_deleted(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=boxes]")
    with page.expect_response(lambda response: "/again" in response.url):
        drag_box(page, (100, 100, 200, 200))
    wait_until_quiet(page)
    shown = page.locator("#box-list li").first

    drag_box(page, (150, 150, 180, 190))
    expect(shown).to_contain_text("1. 130, 140 – 230, 240")
    drag_box(page, (230, 240, 260, 280))
    expect(shown).to_contain_text("1. 130, 140 – 260, 280")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(shown).to_contain_text("1. 131, 150 – 261, 290")
    page.keyboard.press("Control+z")
    expect(shown).to_contain_text("1. 131, 140 – 261, 280")
    page.keyboard.press("Delete")
    expect(page.locator("#box-list li")).to_have_count(0)
    wait_until_quiet(page)


def test_tuning_renders_at_once_without_a_new_job(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    address = page.url

    with page.expect_response(lambda response: "/variants" in response.url) as waiting:
        page.locator("#t-erosion").fill("5")
    assert waiting.value.status == 200
    page.click("[data-color='#ffffff']")
    wait_until_quiet(page)
    page.click(".panel-go details summary")
    picture = downloaded(page, lambda: page.click("[data-download=jpeg]"))

    assert page.url == address
    assert (picture.format, picture.size) == ("JPEG", (512, 512))


def test_the_brush_erases_what_it_paints(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=brush]")
    page.locator("#brush-size").fill("120")
    expect(page.locator("output[for=brush-size]")).to_have_text("120")

    with page.expect_response(lambda response: "/variants" in response.url):
        frame = page.locator("#brush").bounding_box()
        middle = frame["x"] + frame["width"] * 0.43, frame["y"] + frame["height"] * 0.5
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 10, middle[1] + 10)
        page.mouse.up()
    wait_until_quiet(page)
    alpha = np.asarray(downloaded(page, lambda: page.click("#download")))[..., 3]

    assert alpha[256, 220] == 0


def test_the_gallery_finds_a_picture_by_its_name(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[1])

    page.goto("/gallery/?q=cat")
    expect(page.locator(".thumb")).to_have_count(1)
    page.goto("/gallery/?q=elephant")
    expect(page.locator(".thumb")).to_have_count(0)


def test_a_file_that_is_no_picture_is_refused_before_it_is_sent(sign_up: Callable[..., Visitor], tmp_path):
    page = sign_up().page
    notes = tmp_path / "<b>notes.txt"
    notes.write_text("no picture")

    page.set_input_files("#files", notes)

    page.wait_for_selector(".tray-item.failed")
    assert page.locator(".tray-item b").count() == 0


def first_row_not_green(picture: Image.Image) -> int:
    """Return the number of the first row, counted from the top, in which more than 2 % of the pixels are not green."""
    red, green, _ = np.moveaxis(np.asarray(picture.convert("RGB")).astype(int), 2, 0)
    return int(np.argmax(((green > 240) & (red < 16)).mean(axis=1) < 0.98))


def test_an_id_photo_has_its_size_resolution_and_head_where_the_document_requires_it(
    sign_up: Callable[..., Visitor], photo_files
):
    page = sign_up().page
    cut_out(page, photo_files[0])

    page.click("#id-photo")
    page.get_by_label("Document", exact=True).select_option("China 1-inch photo (一寸照), 25 × 35 mm")
    page.get_by_label("Own background colour").fill("#00ff00")
    picture = downloaded(page, lambda: page.click("#id-save"))
    sheet = downloaded(page, lambda: page.click("#id-sheet"))

    assert (picture.size, picture.info["dpi"]) == ((295, 413), (300, 300))
    assert sheet.size == (1795, 1205)
    crown = first_row_not_green(picture)
    assert crown / picture.height == pytest.approx(0.12, abs=0.03)

    page.locator("#id-canvas").focus()
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    lower = downloaded(page, lambda: page.click("#id-save"))
    assert (first_row_not_green(lower) - crown) / picture.height == pytest.approx(0.1, abs=0.02)


def test_the_id_photo_shows_that_it_is_being_rendered(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    held: list[Route] = []
    page.route("**/variants", lambda route: held.append(route), times=1)

    page.click("#id-photo")
    working = page.locator("#id-dialog").get_by_role("progressbar", name="Working")
    expect(working).to_be_visible()
    held[0].continue_()

    expect(working).to_be_hidden()


def test_a_batch_of_twenty_shows_its_progress_to_the_end(sign_up: Callable[..., Visitor], photo_files, tmp_path):
    page = sign_up().page
    small = Image.open(photo_files[0]).resize((160, 160))
    files = []
    for number in range(20):
        path = tmp_path / f"small-{number:02}.jpg"
        small.rotate(number).save(path)
        files.append(path)

    page.set_input_files("#files", files)
    page.wait_for_selector("#go:not([disabled])")
    page.click("#go")
    page.wait_for_url("**/jobs/**")
    expect(page.locator("progress")).to_have_attribute("max", "20")
    page.wait_for_selector(".badge.succeeded", timeout=120_000)

    expect(page.locator("progress")).to_have_attribute("value", "20")
