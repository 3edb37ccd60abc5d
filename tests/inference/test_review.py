"""Tests of uncertain results: the gallery shows them first, webhooks announce them, and corrections are counted."""

from __future__ import annotations

import pytest
from django.urls import reverse

from jobs.inference.corrections import correction_note
from jobs.inference.review import uncertain_announce
from jobs.inference.selectors import model_figures
from jobs.models import JobImage, Status, Webhook, WebhookDelivery
from tests.cast import Person
from tests.quota.actions import submit

pytestmark = pytest.mark.django_db


def finished(person: Person, *uncertainties: float) -> list[JobImage]:
    """Create a job with one succeeded picture for each item of `uncertainties`, and return the pictures."""
    job = submit(person, len(uncertainties))
    images = list(job.images.order_by("position"))
    for image, uncertainty in zip(images, uncertainties, strict=True):
        JobImage.objects.filter(pk=image.pk).update(
            status=Status.SUCCEEDED,
            uncertainty=uncertainty,
            model_version="small 1",
            tier="fast",
            timings_ms={"model": 100 * uncertainty},
        )
        image.refresh_from_db()
    return images


def test_the_gallery_shows_the_most_uncertain_pictures_first(alice: Person) -> None:
    _low, high, middle = finished(alice, 0.1, 0.9, 0.5)

    page = alice.browser().get(reverse("site:gallery"), {"order": "uncertain", "uncertainty_from": "0.3"})

    assert [image.pk for image in page.context["page"].object_list] == [high.pk, middle.pk]


def test_the_api_filters_and_sorts_jobs_by_uncertainty(alice: Person) -> None:
    certain, _ = finished(alice, 0.1, 0.2)
    (uncertain,) = finished(alice, 0.8)

    first = alice.api().get("/api/jobs/", {"order": "uncertain"}).json()["results"]
    found = alice.api().get("/api/jobs/", {"uncertainty_from": "0.5"}).json()["results"]

    assert [job["id"] for job in first] == [str(uncertain.job_id), str(certain.job_id)]
    assert [job["id"] for job in found] == [str(uncertain.job_id)]
    assert (found[0]["images"][0]["uncertainty"], found[0]["images"][0]["tier"]) == (0.8, "fast")


@pytest.mark.parametrize(("uncertainty", "count"), [(0.5, 1), (0.4, 1), (0.3, 0)])
def test_a_picture_over_the_teams_level_is_announced(alice: Person, uncertainty: float, count: int) -> None:
    alice.team.review_above = 0.4
    alice.team.save()
    Webhook.objects.create(team=alice.team, url="https://shop.example/", events=["image.uncertain"], secret="whsec_")
    Webhook.objects.create(team=alice.team, url="https://shop.example/b", events=["job.failed"], secret="whsec_")
    (image,) = finished(alice, uncertainty)

    assert uncertain_announce(image=image) == count

    assert WebhookDelivery.objects.filter(event="image.uncertain").count() == count


def test_without_a_level_nothing_is_announced(alice: Person) -> None:
    Webhook.objects.create(team=alice.team, url="https://shop.example/", events=["image.uncertain"], secret="whsec_")

    assert uncertain_announce(image=finished(alice, 1.0)[0]) == 0


def test_models_are_compared_by_time_uncertainty_and_corrections(alice: Person) -> None:
    first, _ = finished(alice, 0.2, 0.4)
    correction_note(image=first)

    (figures,) = model_figures()

    assert (figures.model, figures.pictures, figures.corrected_share) == ("small 1", 2, 0.5)
    assert figures.uncertainty == pytest.approx(0.3)
    assert figures.model_ms == pytest.approx(30)


def test_a_team_sets_quality_and_review_level_on_its_page(alice: Person) -> None:
    values = {"do": "update", "name": "Studio", "quality": "auto", "review_above": "0.25"}

    alice.browser().post(reverse("site:team"), values)

    alice.team.refresh_from_db()
    assert (alice.team.quality, alice.team.review_above) == ("auto", 0.25)
