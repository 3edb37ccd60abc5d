"""Tests of pages with many rows: the admin counts rows only up to a limit, and the gallery does not count them.

The dashboard's figures are computed in the background.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.admin import figures, paging
from jobs.models import Job
from jobs.web import gallery
from tests.cast import Person
from tests.quota.actions import submit

pytestmark = pytest.mark.django_db


def test_the_admin_counts_rows_up_to_its_limit(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        submit(alice, 1)
    monkeypatch.setattr(paging, "COUNTED_ROWS", 2)

    pages = paging.BoundedPaginator(Job.objects.order_by("-created_at"), 1)

    assert (pages.count, pages.num_pages) == (2, 2)
    assert paging.BoundedPaginator([1, 2, 3], 1).count == 3


def test_the_gallery_leads_from_page_to_page_without_counting(
    alice: Person, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    submit(alice, 3)
    monkeypatch.setattr(gallery, "PAGE_SIZE", 2)
    browser, address = alice.browser(), reverse("site:gallery")

    with django_assert_max_num_queries(6) as queries:
        first = browser.get(address)
    last = browser.get(address, {"page": "2"})

    assert not [query for query in queries.captured_queries if "COUNT" in query["sql"]]
    assert (len(first.context["page"].object_list), first.context["page"].has_next) == (2, True)
    assert (len(last.context["page"].object_list), last.context["page"].has_next) == (1, False)
    assert browser.get(address, {"page": "no number"}).context["page"].number == 1


def test_old_figures_are_shown_at_once_and_renewed_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(
        figures.threading, "Thread", lambda **values: type("T", (), {"start": lambda _: begun.append("")})()
    )
    old = {"as_of": timezone.now() - dt.timedelta(minutes=5)}
    cache.set(figures.FIGURES_KEY, old)

    assert [figures.figures(), figures.figures()] == [old, old]
    assert len(begun) == 1


def test_with_many_jobs_the_first_visit_waits_for_no_figures(
    alice: Person, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(alice, 2)
    begun: list[str] = []
    monkeypatch.setattr(figures, "JOBS_COUNTED_AT_ONCE", 0)
    with monkeypatch.context() as patched:
        patched.setattr(figures, "_renewed", lambda: begun.append("here"))
        patched.setattr(
            figures.threading, "Thread", lambda **values: type("T", (), {"start": lambda _: begun.append("beside")})()
        )
        waiting = root.get("/admin/").content.decode()

    figures._renewed()
    shown = root.get("/admin/").content.decode()

    assert begun == ["beside"]
    assert "This page reloads itself" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert "Nothing is stored" not in waiting
    assert "This page reloads itself" not in shown
    assert "refresh" not in shown
