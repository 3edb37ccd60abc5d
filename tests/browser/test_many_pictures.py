"""Tests of the gallery and of batches: zips, folders, originals, undo, running again, and the next picture."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, press_and_load
from tests.browser.test_cutting_out import FINISHED

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def archive(photo_files: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for folder, file in zip(("people", "pets", "table"), photo_files, strict=True):
            zipped.write(file, f"{folder}/{file.name}")
        zipped.writestr("notes.txt", "no picture")
    return path


def names_in(download: object) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(Path(download.path()).read_bytes())).namelist()


def test_a_zip_becomes_a_batch_that_keeps_folders_and_can_be_run_again(sign_up: Callable[..., Visitor], archive):
    page = sign_up().page
    page.set_input_files("#files", archive)
    page.wait_for_selector(".tray-item >> nth=2")
    names = ["people/astronaut.jpg", "pets/cat.jpg", "table/coffee.jpg"]
    expect(page.locator(".tray-item .name")).to_have_text(names)
    page.click("#go:not([disabled])")
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(".badge.succeeded")

    with page.expect_download() as whole:
        page.click("#zip")
    assert names_in(whole.value) == ["people/astronaut.png", "pets/cat.png", "table/coffee.png"]
    page.locator(".pick").nth(0).check(force=True)
    page.locator(".pick").nth(1).click(modifiers=["Shift"], force=True)
    with page.expect_download() as part:
        page.click("#selection button[value=zip]")
    assert names_in(part.value) == ["people/astronaut.png", "pets/cat.png"]

    batch = page.url
    press_and_load(page, page.locator("button[value=again]"))
    page.locator("#p-threshold").fill("25")
    page.click("button[value=run]")
    page.wait_for_url(lambda url: "/jobs/" in url and url != batch)
    page.wait_for_selector(".badge.succeeded")
    expect(page.locator(".thumb")).to_have_count(2)

    page.goto(batch)
    page.locator(".thumb > a").nth(0).click()
    page.wait_for_selector(FINISHED)
    expect(page.locator("a[rel=prev]")).to_have_count(0)
    page.keyboard.press("PageDown")
    page.wait_for_url("**/1/")
    page.click("a[rel=next]")
    page.wait_for_url("**/2/")


def test_deleted_pictures_come_back_by_undo_and_the_original_shows_under_the_pointer(
    sign_up: Callable[..., Visitor], archive
):
    page = sign_up().page
    page.set_input_files("#files", archive)
    page.click("#go:not([disabled])")
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(".badge.succeeded")
    page.goto("/gallery/")
    expect(page.locator(".day h2")).to_have_text(["Today"])

    page.locator(".thumb > a").nth(0).hover()
    page.wait_for_selector(".original.is-loaded")

    page.locator(".pick").nth(0).check(force=True)
    page.click("#selection button[value=delete]")
    expect(page.locator(".thumb:visible")).to_have_count(2)
    page.click(".toast button")
    expect(page.locator(".thumb:visible")).to_have_count(3)

    page.locator(".pick").nth(0).check(force=True)
    page.click("#selection button[value=delete]")
    expect(page.locator(".thumb:visible")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator(".thumb:visible")).to_have_count(3)

    page.locator(".pick").nth(0).check(force=True)
    page.click("#selection button[value=delete]")
    page.goto("/usage/")  # leaving the page ends the time in which Undo is possible
    page.wait_for_function(
        "async () => (await (await fetch('/gallery/')).text()).split('class=\"pick\"').length === 3", polling=300
    )


def test_one_picture_of_a_batch_has_settings_of_its_own(sign_up: Callable[..., Visitor], photo_files: list[Path]):
    page = sign_up().page
    page.set_input_files("#files", photo_files[:2])
    page.get_by_role("button", name="Settings…: cat.jpg").click()
    expect(page.get_by_text("Settings of cat.jpg only")).to_be_visible()
    expect(page.locator("#p-people")).to_be_hidden()  # the options of the model run are the same for all
    page.locator("#p-transparent").uncheck()
    page.select_option("#p-format", "jpeg")
    page.click("#whose-done")
    expect(page.locator("#p-format")).to_have_value("png")
    expect(page.get_by_role("button", name="Own settings: cat.jpg")).to_be_visible()

    page.click("#go:not([disabled])")
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(".badge.succeeded")
    with page.expect_download() as whole:
        page.click("#zip")
    assert names_in(whole.value) == ["astronaut.png", "cat.jpg"]

    page.locator(".thumb > a").nth(1).click()
    page.wait_for_selector(FINISHED)
    job = json.loads(page.locator("#job").inner_text())
    assert job["images"][0]["settings"] == {"format": "jpeg", "background": "#ffffff"}
