"""Tests of the staff's list of pictures that failed permanently because of a fault of the site."""

from __future__ import annotations

import pytest
from django.test import Client

from jobs.errors import StorageFailed
from jobs.models import AuditEntry, JobImage, Status
from jobs.work.failures import failed_pictures
from segmentation.errors import ImageUnreadable
from tests.cast import Person
from tests.quota.actions import claim, fail, ledger_sum, submit_file

pytestmark = pytest.mark.django_db
URL = "/admin/jobs/failedpicture/"


@pytest.fixture
def failed(alice: Person) -> JobImage:
    """Return a picture that failed because of a fault of the storage. Another picture failed because it is damaged."""
    fail(claim(submit_file(alice).images.get()), ImageUnreadable())
    image = claim(submit_file(alice).images.get())
    fail(image, StorageFailed())
    return image


def act(browser: Client, action: str, image: JobImage) -> int:
    return browser.post(URL, {"action": action, "_selected_action": [str(image.pk)]}).status_code


def test_the_list_shows_faults_of_the_site_alone(failed: JobImage, admin_client: Client) -> None:
    assert [image.pk for image in failed_pictures()] == [failed.pk]
    page = admin_client.get(URL)
    assert page.status_code == 200
    assert "storage_failed" in page.text
    assert "image_unreadable" not in page.text


def test_a_failure_is_retried_and_charged_again(failed: JobImage, alice: Person, admin_client: Client) -> None:
    assert act(admin_client, "retry", failed) == 302

    failed.refresh_from_db()
    assert failed.status == Status.QUEUED
    assert ledger_sum(alice) == 1


def test_a_dropped_failure_leaves_the_list_and_a_trace(failed: JobImage, admin_client: Client) -> None:
    assert act(admin_client, "drop", failed) == 302

    failed.refresh_from_db()
    assert failed.status == Status.FAILED
    assert not failed_pictures().exists()
    assert AuditEntry.objects.filter(action="admin.changed", object_id=str(failed.job_id)).exists()
