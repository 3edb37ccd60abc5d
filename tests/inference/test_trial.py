"""Tests that compare a trial model with other models, on pictures of the same teams, role and period."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.inference.selectors import model_figures, trial_figures
from jobs.models import Job, JobImage, Role, Status, Team
from segmentation.options import CutoutOptions, Method, Point
from tests.cast import Person

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _trial_of_alice(alice: Person) -> None:
    alice.team.trial_percent = 30
    alice.team.save()


def picture(team: Team, tier: str, *, hours_ago: float = 1, **values: object) -> JobImage:
    """Create a picture that a model of this tier has processed, in 100 ms for `fast` and in 300 ms for other tiers."""
    options = CutoutOptions(**values.pop("options", {})).to_json()
    job = Job.objects.create(
        team=team, dialect=Job.Dialect.NATIVE, options=options, images_total=1, corrects=values.pop("corrects", None)
    )
    return JobImage.objects.create(
        job=job,
        status=Status.SUCCEEDED,
        tier=tier,
        model_version=f"{tier} 1",
        finished_at=NOW - dt.timedelta(hours=hours_ago),
        timings_ms={"model": 100 if tier == "fast" else 300},
        **values,
    )


def test_only_pictures_of_the_same_teams_role_and_period_are_compared(alice: Person, charlie: Person) -> None:
    picture(alice.team, "trial", hours_ago=4)
    picture(alice.team, "trial", hours_ago=1, is_corrected=True)
    picture(alice.team, "fast", hours_ago=2)
    picture(alice.team, "fast", hours_ago=9, is_corrected=True)  # before the trial
    picture(charlie.team, "fine", hours_ago=2, is_corrected=True)  # a team without a trial
    picture(alice.team, "fine", hours_ago=2, options={"method": Method.INSTANCES})
    picture(alice.team, "fast", hours_ago=2, options={"points": (Point(1, 1),)})  # the trial gets no clicks

    (found,) = trial_figures()

    assert found.role is Role.SUBJECT
    assert (found.trial.model, found.trial.pictures, found.trial.corrected_share) == ("trial 1", 2, 0.5)
    assert (found.rest.pictures, found.rest.model_ms, found.rest.corrected_share) == (1, pytest.approx(100), 0)


def test_runs_that_correct_a_result_do_not_count(alice: Person) -> None:
    first = picture(alice.team, "trial", hours_ago=3)
    picture(alice.team, "trial", hours_ago=1)
    picture(alice.team, "fast", hours_ago=2, corrects=first)

    (found,) = trial_figures()

    assert (found.trial.pictures, found.rest.pictures) == (2, 0)
    assert [figures.tier for figures in model_figures()] == ["trial"]


def test_the_models_page_shows_both(client: Client, alice: Person) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for hours_ago, tier in ((3, "trial"), (2, "fast"), (1, "trial")):
        picture(alice.team, tier, hours_ago=hours_ago)

    page = client.get("/admin/jobs/modelversion/").content.decode()

    trial = page.partition("<h2>Trial")[2].partition("<tbody>")[2]
    assert "300 ms" in trial.partition("other pictures")[0]
    assert "100 ms" in trial.partition("other pictures")[2]
