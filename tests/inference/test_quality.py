"""Tests of a picture's quality: it comes from the request, or from a default of the team or of the site."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from jobs.inference.quality import quality_settled
from jobs.models import ModelVersion, Role, Team, Tier
from jobs.models.dialects import dialect_names
from jobs.models.team import validate_dialect_qualities
from segmentation.errors import InvalidParameter
from segmentation.options import Box, CutoutOptions, Method, Quality, Subject

pytestmark = pytest.mark.django_db


@pytest.fixture
def fine_model(db: None) -> ModelVersion:
    return ModelVersion.objects.create(
        role=Role.SUBJECT, tier=Tier.FINE, name="large", path="large.onnx", sha256="1", is_active=True
    )


def settled(
    team: Team, quality: Quality | None = None, *, dialect: str = "native", **options: object
) -> Quality | None:
    return quality_settled(CutoutOptions(quality=quality, **options), team=team, dialect=dialect).quality or ""


def test_the_nearest_default_counts(settings: Settings, fine_model: ModelVersion) -> None:
    settings.MATTING_QUALITY = "fine"
    plain = Team(name="plain")
    team = Team(name="studio", quality="auto", dialect_qualities={"baidu": "fast"})

    assert settled(plain) is Quality.FINE
    assert settled(team) is Quality.AUTO
    assert settled(team, dialect="baidu") is Quality.FAST
    assert settled(team, Quality.FINE, dialect="baidu") is Quality.FINE


def test_fine_by_name_without_a_fine_model_says_how_to_get_one() -> None:
    with pytest.raises(InvalidParameter, match="fetch_weights") as refusal:
        settled(Team(name="studio"), Quality.FINE)

    assert refusal.value.field == "quality"


@pytest.mark.parametrize(
    ("options", "role", "advice"),
    [
        ({"method": Method.INSTANCES}, "People", "a model of the family `people`"),
        ({"method": Method.BOXES, "boxes": (Box(1, 1, 20, 20),)}, "Boxes and clicks", "isnet-general-use"),
    ],
    ids=["people", "boxes"],
)
def test_a_refusal_of_fine_names_the_role_and_a_model_that_supports_it(
    fine_model: ModelVersion, options: dict[str, object], role: str, advice: str
) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        settled(Team(name="studio"), Quality.FINE, **options)

    assert f"No fine model is active for {role!r}." in refusal.value.message
    assert advice in refusal.value.message
    assert ("isnet" in refusal.value.message) == (role != "People")


@pytest.mark.parametrize("default", ["fine", "auto"])
def test_a_default_falls_back_to_fast_without_a_fine_model(default: str) -> None:
    assert settled(Team(name="studio", quality=default)) is Quality.FAST


def test_a_stamp_needs_no_model(fine_model: ModelVersion) -> None:
    assert settled(Team(name="studio"), Quality.FINE, subject=Subject.STAMP) is Quality.FAST


@pytest.mark.parametrize("value", [None, [], {"native": []}, {"native": "finest"}, {"native": None}, {"nativ": "fine"}])
def test_a_default_quality_that_does_not_exist_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        validate_dialect_qualities(value)


def test_every_dialect_may_have_a_default_quality() -> None:
    validate_dialect_qualities(dict.fromkeys(dialect_names(), "fine"))
