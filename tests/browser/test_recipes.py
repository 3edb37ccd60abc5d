"""Tests of the recipes page: the preview shows the values of the form, and the start page offers a saved recipe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def test_a_recipe_is_changed_previewed_saved_and_offered(sign_up: Callable[..., Visitor]) -> None:
    page = sign_up().page
    page.goto("/recipes/")
    expect(page.locator("#preview")).to_have_attribute("src", re.compile("^blob:"))
    first = page.locator("#preview").get_attribute("src")

    page.select_option("#s-type", "contact")
    expect(page.locator("#preview-notes")).to_contain_text("shadow")
    page.fill("#recipe-title", "My shop")
    page.fill("#recipe-name", "my-shop")
    page.click("#recipe-form button.loud")
    expect(page.locator("#toasts")).to_contain_text("my-shop")

    expect(page.locator("#preview")).not_to_have_attribute("src", first or "")
    expect(page.locator("#recipe-choice")).to_have_value("my-shop")
    page.goto("/")
    expect(page.locator("#p-recipe option[value=my-shop]")).to_have_text("My shop")


def test_fields_of_other_kinds_are_hidden(sign_up: Callable[..., Visitor]) -> None:
    page = sign_up().page
    page.goto("/recipes/")

    page.select_option("#b-type", "gradient")
    expect(page.locator("#b-start")).to_be_visible()
    expect(page.locator("#b-color")).to_be_hidden()
    page.select_option("#s-type", "none")
    expect(page.locator("#s-strength")).to_be_hidden()
