"""Tests that a client can repeat a request after its response was lost, and that the team is charged only once."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from jobs.models import Job
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.quota.actions import ledger_sum

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _window(settings: Settings) -> None:
    settings.MATTING_REPEAT_WINDOW_S = 600


def test_the_request_after_a_5xx_gets_the_first_ones_result_and_the_next_a_job_of_its_own(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post() -> int:
        body = {"image": SimpleUploadedFile("photo.jpg", jpeg_bytes)}
        return alice.api().post("/api/jobs/", body, headers={"accept": "image/png"}).status_code

    def broken(*args: object) -> None:
        raise OSError("the storage is away")

    with monkeypatch.context() as patch:
        patch.setattr("jobs.api.native.views.picture_response", broken)
        assert post() == 500

    assert post() == 200
    assert (Job.objects.count(), ledger_sum(alice)) == (1, 1)
    assert post() == 200
    assert (Job.objects.count(), ledger_sum(alice)) == (2, 2)
