"""Tests of uploads to the DashScope-compatible API: a signed policy, a form without a key, and an oss:// URL."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from jobs.api.dashscope import serializers
from jobs.api.dashscope.render import MAX_FILE_BYTES
from jobs.api.dashscope.upload_grants import GRANT_TTL_S, grant_issue
from jobs.intake.uploads import uploads_expire
from jobs.models import ApiKey, Job, Membership, Quota, Upload
from jobs.results import storage
from jobs.teams.keys import key_revoke
from tests import photos
from tests.api.dashscope.test_tasks import ASYNC, FIXTURE, SUBMIT, task
from tests.api.matching import assert_matches, fixture
from tests.cast import Person, make_person

POLICY = "/api/v1/uploads"
FILES = "/api/v1/uploads/files"


def granted(person: Person) -> dict[str, Any]:
    query = {"action": "getPolicy", "model": "image-instance-segmentation"}
    return person.api().get(POLICY, query).json()["data"]


def form_of(policy: dict[str, Any], *, name: str = "people.jpg", data: bytes | None = None) -> dict[str, Any]:
    """Return the fields of an upload form, as the SDK sends them.

    policy: the signed policy that the API has returned. name, data: the file's name and content. If data is None, the
    file contains a photo.
    """
    return {
        "OSSAccessKeyId": policy["oss_access_key_id"],
        "Signature": policy["signature"],
        "policy": policy["policy"],
        "key": f"{policy['upload_dir']}/{name}",
        "x-oss-object-acl": policy["x_oss_object_acl"],
        "x-oss-forbid-overwrite": policy["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": "image/jpeg",
        "file": SimpleUploadedFile(name, photos.encoded("JPEG", quality=90) if data is None else data),
    }


def uploaded(person: Person, **changes: Any) -> str:
    """Upload a picture and return its oss:// URL. changes: arguments of `form_of`."""
    form = form_of(granted(person), **changes)
    response = Client().post(FILES, form)
    assert response.status_code == 200, response.content
    return f"oss://{form['key']}"


def submitted(person: Person, url: str) -> dict[str, Any]:
    body = FIXTURE["submit"]["request"] | {"input": {"image_url": url}}
    return person.api().post(SUBMIT, body, content_type="application/json", headers=ASYNC).json()


def test_a_policy_says_where_and_until_when(alice: Person) -> None:
    query = {"action": "getPolicy", "model": "image-instance-segmentation"}

    response = alice.api().get(POLICY, query)

    assert response.status_code == 200
    assert_matches(response.json(), fixture("dashscope/uploads.json")["policy"])


@pytest.mark.parametrize("query", [{}, {"action": "delete"}])
def test_another_action_is_a_bad_parameter(alice: Person, query: dict[str, str]) -> None:
    response = alice.api().get(POLICY, query)

    assert (response.status_code, response.json()["code"]) == (400, "InvalidParameter")


@pytest.mark.usefixtures("instant_worker")
def test_an_upload_becomes_a_task_like_any_other_picture(alice: Person) -> None:
    answer = submitted(alice, uploaded(alice))

    assert_matches(task(alice, answer["output"]["task_id"]), FIXTURE["SUCCEEDED"])


@pytest.mark.usefixtures("instant_worker")
def test_an_upload_that_is_too_small_fails_its_task(alice: Person) -> None:
    small = photos.encode(np.zeros((300, 300), np.uint8), "PNG")

    answer = submitted(alice, uploaded(alice, name="small.png", data=small))

    output = task(alice, answer["output"]["task_id"])["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "InvalidParameter")
    assert "300 x 300" in output["message"]


@pytest.mark.usefixtures("instant_worker")
def test_an_upload_over_the_teams_own_limit_fails_its_task(alice: Person) -> None:
    Quota.objects.update_or_create(team=alice.team, defaults={"max_image_megapixels": 0.1})
    large = photos.encode(np.zeros((600, 600), np.uint8), "PNG")

    answer = submitted(alice, uploaded(alice, name="large.png", data=large))

    output = task(alice, answer["output"]["task_id"])["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "InvalidParameter")


def test_two_files_go_under_one_policy_but_no_name_twice(alice: Person) -> None:
    policy = granted(alice)

    statuses = [Client().post(FILES, form_of(policy, name=name)).status_code for name in ("a.jpg", "b.jpg", "a.jpg")]

    assert statuses == [200, 200, 400]
    assert sorted(Upload.objects.values_list("name", flat=True)) == ["a.jpg", "b.jpg"]
    for upload in Upload.objects.all():
        assert storage.read(upload.key) == photos.encoded("JPEG", quality=90)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Signature": "x"}, "signature"),
        (
            {"policy": base64.b64encode(json.dumps({"expiration": "2999-01-01T00:00:00+00:00"}).encode()).decode()},
            "signature",
        ),
        ({"key": "uploads/elsewhere/a.jpg"}, "another directory"),
        ({"key": ""}, "another directory"),
    ],
)
def test_a_form_that_the_policy_does_not_cover_is_denied(alice: Person, changes: dict[str, str], words: str) -> None:
    form = form_of(granted(alice)) | changes
    form = {name: value for name, value in form.items() if value}

    response = Client().post(FILES, form)

    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")
    assert words in response.json()["message"]
    assert not Upload.objects.exists()


def test_a_policy_expires(alice: Person) -> None:
    form = form_of(granted(alice))

    later = timezone.now() + dt.timedelta(seconds=GRANT_TTL_S + 1)
    with mock.patch("jobs.api.dashscope.upload_grants.timezone.now", return_value=later):
        response = Client().post(FILES, form)

    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")


def test_a_revoked_keys_policy_is_void(alice: Person) -> None:
    form = form_of(granted(alice))

    key_revoke(key=alice.key)

    assert Client().post(FILES, form).status_code == 403


def test_a_policy_opens_the_upload_host_from_the_keys_own_networks_alone(alice: Person) -> None:
    policy = granted(alice)
    ApiKey.objects.filter(pk=alice.key.pk).update(allowed_networks=["192.0.2.0/24"])

    refused = Client().post(FILES, form_of(policy))
    taken = Client(REMOTE_ADDR="192.0.2.7").post(FILES, form_of(policy))

    assert (refused.status_code, refused.json()["code"]) == (403, "AccessDenied")
    assert taken.status_code == 200


def test_a_key_that_may_submit_alone_may_upload(alice: Person) -> None:
    program = make_person("program", alice.team, Membership.Role.MEMBER, scopes=("submit",))

    assert uploaded(program).startswith("oss://")


def test_a_key_that_may_only_read_gets_no_policy(alice: Person) -> None:
    reader = make_person("reader", alice.team, Membership.Role.MEMBER, scopes=("read",))

    response = reader.api().get(POLICY, {"action": "getPolicy", "model": "image-instance-segmentation"})

    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")


def test_the_policy_of_a_key_that_may_only_read_is_void(alice: Person) -> None:
    reader = make_person("reader", alice.team, Membership.Role.MEMBER, scopes=("read",))
    grant = grant_issue(key=reader.key)
    form = {"policy": grant.policy, "Signature": grant.signature, "key": f"{grant.directory}/a.jpg"}

    response = Client().post(FILES, form)

    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")
    assert "'submit'" in response.json()["message"]


def test_a_body_that_is_too_large_is_refused_unread(db: None) -> None:
    body = io.BytesIO(b"--x")
    length = MAX_FILE_BYTES + 64 * 2**10 + 1

    environ = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(length), "wsgi.input": body}

    response = Client().generic("POST", FILES, **environ)

    assert (response.status_code, response.json()["code"]) == (413, "BadRequest.TooLarge")
    assert body.tell() == 0


def test_a_body_without_a_length_is_not_read(db: None) -> None:
    body = io.BytesIO(b"--x")

    response = Client().generic("POST", FILES, content_type="multipart/form-data; boundary=x", **{"wsgi.input": body})

    assert (response.status_code, body.tell()) == (403, 0)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"no picture", 400, "InvalidParameter.ImageFormat"),
        (b"", 400, "InvalidParameter"),
        (b"\xff" * (10 * 2**20 + 1), 413, "BadRequest.TooLarge"),
    ],
)
def test_a_file_that_is_no_fit_is_refused(alice: Person, data: bytes, status: int, code: str) -> None:
    response = Client().post(FILES, form_of(granted(alice), data=data))

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Upload.objects.exists()


def test_uploads_count_among_the_teams_stored_bytes(alice: Person) -> None:
    Quota.objects.update_or_create(
        team=alice.team, defaults={"stored_bytes": len(photos.encoded("JPEG", quality=90)) + 10}
    )
    policy = granted(alice)

    first, second = (Client().post(FILES, form_of(policy, name=name)) for name in ("a.jpg", "b.jpg"))

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (429, "Throttling.AllocationQuota")
    assert Upload.objects.count() == 1


@pytest.mark.usefixtures("idle_worker")
def test_another_teams_upload_cannot_be_used(alice: Person, charlie: Person) -> None:
    answer = submitted(charlie, uploaded(alice))

    assert answer["code"] == "InvalidParameter.FileDownload"
    assert not Job.objects.exists()


@pytest.mark.usefixtures("idle_worker")
def test_an_upload_is_forgotten_with_its_file_when_its_time_is_over(
    alice: Person, django_capture_on_commit_callbacks
) -> None:
    url = uploaded(alice)
    key = Upload.objects.get().key
    Upload.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert submitted(alice, url)["code"] == "InvalidParameter.FileDownload"
    with django_capture_on_commit_callbacks(execute=True):
        assert uploads_expire() == 1
    assert not storage.default_storage.exists(key)


def test_the_operators_stricter_limit_counts_here_too(alice: Person, settings) -> None:
    settings.MATTING_MAX_IMAGE_BYTES = 1000

    response = Client().post(FILES, form_of(granted(alice)))

    assert (response.status_code, response.json()["code"]) == (413, "BadRequest.TooLarge")
    assert serializers.limits().max_bytes == 1000
