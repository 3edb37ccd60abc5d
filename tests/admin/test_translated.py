"""Tests that the admin is translated: the labels of columns, fields, filters and actions, and the text of its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client
from django.utils import translation

from jobs.models import AuditEntry, Job, Team, UsageEntry
from tests.cast import Person
from tests.quota.actions import claim, fail, submit

pytestmark = pytest.mark.django_db

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
DATA = re.compile(r"[Ss]ample|alice|Studio|keyline|MIT|[0-9a-f]{8}-")  # the cast, seeded jobs, models, ids
SAME_IN_ALL_LANGUAGES = {"SHA-256", "Webhook", " ", ""}
OURS = [model for model in admin.site._registry if model._meta.app_label == "jobs"]


@pytest.fixture
def superuser_request(root: Client) -> HttpRequest:
    request: HttpRequest = root.get("/admin/").wsgi_request
    return request


def labels_of(model: type[Model], request: HttpRequest) -> Iterator[str]:
    """Yield the labels of a model's admin pages: its names, columns, fields, actions and filters."""
    its_admin = admin.site._registry[model]
    yield from (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
    for name in its_admin.get_list_display(request):
        if name not in ("__str__", "action_checkbox"):
            yield str(label_for_field(name, model, its_admin))
    for name in flatten_fieldsets(its_admin.get_fieldsets(request)):
        yield str(label_for_field(name, model, its_admin))
    for _action, _name, description in its_admin.get_actions(request).values():
        yield str(description)
    for one in its_admin.get_list_filter(request):
        field = one[0] if isinstance(one, tuple) else one
        yield str(field.title if isinstance(field, type) else label_for_field(field.split("__")[0], model, its_admin))


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_everything_that_a_page_of_the_admin_names_is_translated(model: type[Model], superuser_request) -> None:
    with translation.override("zh-hans"):
        untranslated = {label for label in labels_of(model, superuser_request) if not CHINESE.search(label)}

    assert untranslated <= SAME_IN_ALL_LANGUAGES


class Shown(HTMLParser):
    """An HTML parser that collects the visible texts of a page, without scripts, icons, code and identifiers."""

    SILENT = {"script", "style", "template", "pre", "code", "title", "option"}
    DATA = ("material-symbols", "kl-mono", "kl-more-models", "kl-manifest")  # icons, identifiers, texts of manifests

    def __init__(self) -> None:
        super().__init__()
        self.silent: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = dict(attrs).get("class") or ""
        hidden = tag in self.SILENT or any(name in classes for name in self.DATA)
        if (hidden or self.silent) and tag not in ("br", "img", "input", "link", "meta", "hr"):
            self.silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(data.strip())


def texts_in(client: Client, address: str, language: str) -> list[str]:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    shown = Shown()
    shown.feed(client.get(address).content.decode())
    return shown.texts


@pytest.mark.slow
def test_no_sentence_of_the_admin_stays_english(root: Client, sample_jobs: None, alice: Person) -> None:
    """No admin page shows the same sentence in both languages; only names, numbers, ids and codes may be equal."""
    failed = submit(alice)
    fail(claim(failed.images.get()))
    team, entry = Team.objects.get(pk=alice.team.pk), AuditEntry.objects.first()
    pages = [
        "/admin/",
        f"/admin/jobs/job/{failed.pk}/change/",
        f"/admin/jobs/job/{Job.objects.filter(status='succeeded').first().pk}/change/",
        f"/admin/jobs/team/{team.pk}/change/",
        f"/admin/jobs/auditentry/{entry.pk}/change/",
        f"/admin/jobs/usageentry/{UsageEntry.objects.first().pk}/change/",
        f"/admin/auth/user/{alice.user.pk}/change/",
        "/admin/jobs/apikey/add/",
        "/admin/jobs/job/?q=nothing",
        *(f"/admin/jobs/{model._meta.model_name}/" for model in OURS),
    ]

    for address in pages:
        english, chinese = texts_in(root, address, "en"), texts_in(root, address, "zh-hans")
        same = {text for text in set(english) & set(chinese) if SENTENCE.search(text) and not DATA.search(text)}
        assert same == set(), address
