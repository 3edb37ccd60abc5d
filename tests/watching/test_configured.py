"""Tests that the site watches folders that are configured in the admin, and that changes there take effect."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry, WatchedFolder
from jobs.watching.configured import ConfiguredWatchers, watch_of
from segmentation.errors import InvalidParameter
from tests.cast import Person


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def row(person: Person, inbox: Path, **changes: object) -> WatchedFolder:
    values = {"team": person.team, "source": str(inbox), "output": str(inbox.parent / "out"), "recipe": "amazon-main"}
    return WatchedFolder.objects.create(**values | changes)


@pytest.mark.django_db
def test_a_row_names_team_recipe_and_places(alice: Person, inbox: Path) -> None:
    watch = watch_of(row(alice, inbox, settled_s=7, at_once=2))

    assert (watch.actor.team, watch.recipe.name, watch.settled_s, watch.at_once) == (alice.team, "amazon-main", 7, 2)
    assert (inbox.parent / "out").is_dir()


@pytest.mark.django_db
def test_a_folder_that_is_gone_is_named(alice: Person, inbox: Path) -> None:
    with pytest.raises(InvalidParameter, match="is not a folder"):
        watch_of(row(alice, inbox, source=str(inbox / "gone")))


@pytest.mark.django_db(transaction=True)
def test_watchers_start_with_their_rows_and_stop_with_them(alice: Person, inbox: Path) -> None:
    watched = row(alice, inbox)
    watchers = ConfiguredWatchers(threading.Event())

    watchers.look()
    ((_, stop, thread),) = watchers._running.values()
    WatchedFolder.objects.filter(pk=watched.pk).update(is_enabled=False)
    watchers.look()
    thread.join(30)
    watchers.look()

    assert stop.is_set()
    assert watchers._running == {}


@pytest.mark.django_db(transaction=True)
def test_a_problem_is_shown_in_the_row(alice: Person, inbox: Path) -> None:
    watched = row(alice, inbox, recipe="nothing")
    watchers = ConfiguredWatchers(threading.Event())

    watchers.look()
    for _, _, thread in watchers._running.values():
        thread.join(30)

    watched.refresh_from_db()
    assert "nothing" in watched.problem


@pytest.mark.django_db
def test_staff_set_up_a_folder_and_a_wrong_recipe_is_refused(alice: Person, inbox: Path) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    form = {
        "team": str(alice.team.pk),
        "source": str(inbox),
        "output": str(inbox.parent / "out"),
        "recipe": "nothing",
        "settled_s": "3",
        "at_once": "8",
        "is_enabled": "on",
    }

    refused = client.post(reverse("admin:jobs_watchedfolder_add"), form)
    saved = client.post(reverse("admin:jobs_watchedfolder_add"), form | {"recipe": "ebay"})

    assert "There is no recipe" in refused.content.decode()
    assert saved.status_code == 302
    assert WatchedFolder.objects.get().recipe == "ebay"
    assert AuditEntry.objects.filter(action="admin.added").exists()
