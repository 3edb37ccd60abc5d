"""Tests of teams in the browser: joining another team, a used invitation, a webhook's test message, revoking a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor, let_requests_out, press_and_load
from tests.browser.test_cutting_out import FINISHED, cut_out
from tests.jobs.site import Site, answer
from tests.stack import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def receiver() -> Iterator[Site]:
    site = Site({"/hook": answer(b"thank you")})
    site.thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()


def test_who_joins_a_team_is_offered_to_switch_back_to_the_pictures(sign_up: Callable[..., Visitor], photo_files):
    host, guest = sign_up().page, sign_up()
    page = guest.page
    cut_out(page, photo_files[0])
    picture = page.url
    host.goto("/team/")
    host.get_by_role("button", name="Create link").click()
    link = host.locator("#link").inner_text()

    page.goto(link)
    page.get_by_role("button", name="Join the team").click()
    expect(page.get_by_text("You are now in the team")).to_be_visible()
    page.goto(picture)
    expect(page.get_by_role("heading", level=1)).to_contain_text("This picture belongs to")
    page.get_by_role("button", name="Switch to").click()
    page.wait_for_selector(FINISHED)

    page.goto(link)
    expect(page.get_by_role("heading", name="This invitation is no longer valid")).to_be_visible()
    expect(page.get_by_role("link", name="Home page")).to_be_visible()
    guest.expect_complaint("status of 404")


def test_a_webhook_is_tested_and_its_answer_is_in_the_log(sign_up: Callable[..., Visitor], receiver: Site):
    page = sign_up(viewport=PHONE, has_touch=True, is_mobile=True).page
    page.goto("/webhooks/")
    page.get_by_label("URL").fill(receiver.url("/hook"))
    press_and_load(page, page.get_by_role("button", name="Create webhook"))
    press_and_load(page, page.get_by_role("button", name="Send a test message"))
    expect(page.get_by_text("A test message is on its way.")).to_be_visible()

    row = page.get_by_role("row").filter(has_text="Test message")

    def is_answered() -> bool:
        page.reload()
        return "200" in row.inner_text()

    wait_for(is_answered, timeout_s=60, what="the webhook's answer is not in the log")
    row.get_by_text("Details").click()
    expect(row.get_by_text("thank you")).to_be_visible()
    # On a phone each row is a card: its cells are one below the other, with their names.
    first, second = row.locator("td").nth(0).bounding_box(), row.locator("td").nth(1).bounding_box()
    assert second["y"] >= first["y"] + first["height"] - 1


def test_a_question_before_a_key_is_revoked_comes_in_the_sites_own_dialog(sign_up: Callable[..., Visitor]):
    page = sign_up().page
    page.on("dialog", lambda dialog: pytest.fail(f"the browser's own dialog: {dialog.message}"))
    page.goto("/keys/")
    page.fill("input[name=name]", "Shop")
    press_and_load(page, page.get_by_role("button", name="Create key"))

    page.get_by_role("button", name="Revoke").click()
    page.locator("dialog[open]").get_by_text("Programs that use it stop working at once.").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    let_requests_out(page)
    expect(page.get_by_text("Revoked", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Revoke").click()
    page.locator("dialog[open] button[value=yes]").click()

    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()


def test_without_its_script_a_page_revokes_no_key(sign_up: Callable[..., Visitor]):
    visitor = sign_up()
    page = visitor.page
    visitor.expect_complaint("ERR_FAILED")
    page.route("**/copy*.js", lambda route: route.abort())
    page.goto("/keys/")
    page.fill("input[name=name]", "Shop")
    press_and_load(page, page.get_by_role("button", name="Create key"))

    page.get_by_role("button", name="Revoke").click()
    let_requests_out(page)
    page.goto("/keys/")

    expect(page.get_by_role("button", name="Revoke")).to_be_visible()
