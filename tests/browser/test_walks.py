"""Tests of five tasks of a new user. They use only visible labels: no ids, no CSS classes, no URLs of the API.

If a test does not find a label, a new user would not find the next step.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Locator, Page, expect

from tests import photos
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

WALL = (214, 208, 198)
BAG_SIDE = 640
STRAP_TOP = (320, 64)  # of the drawn bag, in its pixels
STRAP_SIDES = ((212, 180), (428, 180))
PHOTO_COUNT = 50


def bag_with_pale_strap() -> Image.Image:
    """Return a drawn leather bag in front of a wall, (640, 640) RGB.

    The strap has nearly the same colour as the wall, so that the model does not find it.
    """
    picture = Image.new("RGB", (BAG_SIDE, BAG_SIDE), WALL)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 520, BAG_SIDE, BAG_SIDE), fill=(196, 186, 172))
    draw.arc((190, 60, 450, 560), 180, 360, fill=(205, 196, 184), width=8)
    draw.rounded_rectangle((150, 290, 490, 560), radius=38, fill=(122, 58, 30))
    draw.rounded_rectangle((150, 290, 490, 420), radius=38, fill=(148, 74, 40))
    draw.ellipse((305, 400, 335, 430), fill=(222, 190, 110))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(1.1)), dtype=np.float64)
    noise = np.random.default_rng(3).normal(0, 3, soft.shape)
    return Image.fromarray((soft + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    path = tmp_path / "bag.jpg"
    bag_with_pale_strap().save(path, quality=92)
    return path


@pytest.fixture
def two_people(tmp_path: Path) -> Path:
    """Return a photo, 512 pixels high and 1024 wide, of two people side by side."""
    person = photos.astronaut()
    path = tmp_path / "two-people.jpg"
    path.write_bytes(photos.encode(np.hstack([person, person[:, ::-1]]), "JPEG", quality=92))
    return path


@pytest.fixture
def fifty_photos(tmp_path: Path) -> Path:
    """Return a zip of fifty small photos."""
    small = Image.fromarray(photos.astronaut()).resize((160, 160))
    path = tmp_path / "holiday.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for number in range(PHOTO_COUNT):
            buffer = io.BytesIO()
            small.rotate(number % 12).save(buffer, "JPEG")
            zipped.writestr(f"photo-{number:02}.jpg", buffer.getvalue())
    return path


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def choose(page: Page, file: Path) -> None:
    page.get_by_label("Choose pictures").set_input_files(file)


def cut_out(page: Page, file: Path) -> None:
    """Choose one picture on the start page, and wait until its result can be downloaded."""
    choose(page, file)
    expect(page.get_by_role("heading", name=file.name)).to_be_visible()
    cutout = page.get_by_role("img", name="The cutout")
    expect(cutout).to_be_visible()
    expect(button(page, "Download")).to_be_enabled()
    expect(cutout).not_to_have_js_property("naturalWidth", 0)


def saved(page: Page, press: Locator) -> Image.Image:
    with page.expect_download() as waiting:
        press.click()
    return Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))


def alpha_of(picture: Image.Image) -> np.ndarray:
    """Return the alpha of an RGBA picture, (h, w) uint8."""
    assert picture.mode == "RGBA"
    return np.asarray(picture)[..., 3]


def test_cut_out_a_bag(sign_up: Callable[..., Visitor], bag: Path):
    page = sign_up().page

    cut_out(page, bag)
    alpha = alpha_of(saved(page, button(page, "Download")))

    assert alpha.shape == (BAG_SIDE, BAG_SIDE)
    assert alpha[320:540, 180:460].mean() > 240  # the bag
    assert alpha[:, :120].mean() < 10  # the wall beside it


def test_keep_only_the_left_of_two_people(sign_up: Callable[..., Visitor], two_people: Path):
    page = sign_up().page
    cut_out(page, two_people)

    button(page, "People").click()
    button(page, "Find people").click()
    expect(page.get_by_text("Click a person to keep or remove them.")).to_be_visible()
    picture = page.get_by_role("img", name="The cutout").bounding_box()
    found = page.get_by_role("group", name="Boxes around what to cut out").get_by_role("checkbox")
    expect(found.first).to_be_visible()
    middle = picture["x"] + picture["width"] / 2
    for person in found.all():
        box = person.bounding_box()
        if box["x"] + box["width"] / 2 > middle:
            person.click()
            expect(person).not_to_be_checked()
    expect(page.get_by_role("progressbar", name="Working")).to_be_hidden()

    alpha = alpha_of(saved(page, button(page, "Download")))
    assert alpha[150:350, 180:280].mean() > 200  # the left person's face and suit
    assert alpha[:, 620:].mean() < 10


def test_repair_a_lost_strap_with_the_brush(sign_up: Callable[..., Visitor], bag: Path):
    page = sign_up().page
    cut_out(page, bag)
    lost = alpha_of(saved(page, button(page, "Download")))
    assert lost[40:110, 300:340].max() < 128

    button(page, "Brush").click()
    button(page, "Restore").click()
    page.get_by_role("slider", name="Size").fill("24")
    paint(page, [STRAP_SIDES[0], STRAP_TOP, STRAP_SIDES[1]])
    expect(button(page, "Undo")).to_be_enabled()
    alpha = alpha_of(saved(page, button(page, "Download")))

    assert alpha[STRAP_TOP[1], STRAP_TOP[0]] == 255
    assert alpha[300:540, 180:460].mean() > 240  # the bag is still there
    assert alpha[:, :120].mean() < 10


def paint(page: Page, points: list[tuple[int, int]]) -> None:
    """Draw one brush stroke through these points. points: (x, y) in pixels of the picture."""
    frame = page.get_by_label("Brush strokes").bounding_box()
    scale = frame["width"] / BAG_SIDE
    spots = [(frame["x"] + x * scale, frame["y"] + y * scale) for x, y in points]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=8)
    page.mouse.up()


def test_make_a_white_square_for_a_shop_and_share_it(
    sign_up: Callable[..., Visitor], visit: Callable[..., Visitor], bag: Path
):
    page = sign_up(permissions=["clipboard-read", "clipboard-write"]).page
    cut_out(page, bag)

    button(page, "For a shop or site…").click()
    page.get_by_label("Where the picture will be shown").select_option("Shopify, square")
    expect(page.get_by_role("img", name="The finished picture")).to_be_visible()
    button(page, "Share a link").click()
    expect(page.get_by_text("The link is copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")

    customer = visit().page
    customer.goto(link)
    picture = saved(customer, customer.get_by_role("link", name="Download"))
    assert (picture.format, picture.size) == ("JPEG", (2048, 2048))
    pixels = np.asarray(picture)
    assert pixels[:150].min() > 250  # white around the bag
    assert pixels[900:1100, 900:1100].mean() < 150


def test_process_fifty_photos_as_a_zip(sign_up: Callable[..., Visitor], fifty_photos: Path):
    page = sign_up().page

    choose(page, fifty_photos)
    go = button(page, f"Cut out {PHOTO_COUNT} pictures")
    expect(go).to_be_enabled()
    go.click()
    expect(page.get_by_role("heading", name=f"{PHOTO_COUNT} pictures")).to_be_visible()
    expect(page.get_by_text(f"{PHOTO_COUNT} of {PHOTO_COUNT} finished")).to_be_visible(timeout=240_000)

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download zip").click()
    with zipfile.ZipFile(waiting.value.path()) as zipped:
        names = zipped.namelist()
        assert len(names) == PHOTO_COUNT
        assert alpha_of(Image.open(io.BytesIO(zipped.read(names[0])))).any()
