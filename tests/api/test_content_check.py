"""Tests of the operator's content check, which may refuse pictures.

The check runs before the processing, and a refused picture is not processed.
"""

from __future__ import annotations

import pytest
from pytest_django import Settings

from jobs.models import Job
from jobs.running.checks import check_matting_settings
from tests.api.content_checks import SERVICE_REASON, allow, refuse
from tests.api.native.sent import photo
from tests.cast import Person
from tests.fakes import FakeEngine

pytestmark = pytest.mark.django_db
REFUSE, ALLOW = (f"{check.__module__}.{check.__name__}" for check in (refuse, allow))


def submitted(person: Person, picture: bytes) -> dict[str, object]:
    return person.api().post("/api/jobs/?wait=5", {"image": photo(picture)}).json()


def test_a_refused_picture_is_not_processed(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings
) -> None:
    settings.MATTING_CONTENT_CHECK = REFUSE

    body = submitted(alice, jpeg_bytes)

    assert body["error"] == {"code": "content_refused", "detail": "no cats in native"}
    assert instant_worker.calls == []


def test_an_allowed_picture_is_processed(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings
) -> None:
    settings.MATTING_CONTENT_CHECK = ALLOW

    assert submitted(alice, jpeg_bytes)["status"] == "succeeded"


def test_a_check_that_fails_lets_nothing_pass(
    alice: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, settings: Settings
) -> None:
    settings.MATTING_CONTENT_CHECK = f"{__name__}.missing"

    submitted(alice, jpeg_bytes)

    assert Job.objects.get().error_code == "internal"
    assert instant_worker.calls == []


def test_a_url_is_asked_with_the_picture(
    alice: Person,
    charlie: Person,
    jpeg_bytes: bytes,
    instant_worker: FakeEngine,
    settings: Settings,
    checking_service: str,
) -> None:
    settings.MATTING_CONTENT_CHECK = checking_service

    refused, allowed = (submitted(person, jpeg_bytes) for person in (alice, charlie))

    assert refused["error"] == {"code": "content_refused", "detail": SERVICE_REASON}
    assert allowed["status"] == "succeeded"


@pytest.mark.parametrize("value", ["", REFUSE, "https://checks.example/picture"])
def test_a_check_that_exists_passes_at_start(settings: Settings, value: str) -> None:
    settings.MATTING_CONTENT_CHECK = value

    assert check_matting_settings(None) == []


@pytest.mark.parametrize(
    "value", ["nothing", "tests.api.missing.check", f"{__name__}.missing", "ftp://checks.example/"]
)
def test_a_check_that_cannot_be_called_is_refused_at_start(settings: Settings, value: str) -> None:
    settings.MATTING_CONTENT_CHECK = value

    (error,) = check_matting_settings(None)

    assert "MATTING_CONTENT_CHECK" in error.msg
