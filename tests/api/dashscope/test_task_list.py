"""Tests of the DashScope-compatible API: the list of tasks, and the responses to invalid requests."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from tests.api.dashscope.test_tasks import listed, made
from tests.api.matching import assert_matches, fixture
from tests.cast import Person

SUBMIT = "/api/v1/services/aigc/image2image/image-synthesis"
TASKS = "/api/v1/tasks"
ASYNC = {"X-DashScope-Async": "enable"}
FIXTURE = fixture("dashscope/tasks.json")
ERRORS = fixture("dashscope/errors.json")


@pytest.mark.usefixtures("idle_worker")
def test_the_list_shows_the_teams_tasks_page_by_page(alice: Person, charlie: Person) -> None:
    ids = [made(alice) for _ in range(3)]
    made(charlie)

    first, second = listed(alice, page_no=1, page_size=2), listed(alice, page_no=2, page_size=2)

    assert_matches(
        first,
        {
            "request_id": "<uuid>",
            "total": 3,
            "total_page": 2,
            "page_no": 1,
            "page_size": 2,
            "data": [FIXTURE["listed"] | {"api_key_id": alice.key.public_id}] * 2,
        },
    )
    assert [row["task_id"] for row in first["data"] + second["data"]] == ids[::-1]


@pytest.mark.usefixtures("idle_worker")
def test_the_list_is_narrowed_by_status_model_key_and_time(alice: Person) -> None:
    old, new = made(alice), made(alice)
    Job.objects.filter(pk=old).update(created_at=dt.datetime(2024, 5, 16, 13, 50, 1, 500_000, tzinfo=dt.UTC))
    alice.api().post(f"{TASKS}/{new}/cancel")

    def found(**query: Any) -> list[str]:
        return [row["task_id"] for row in listed(alice, **query)["data"]]

    assert found() == [new, old]
    assert found(status="PENDING") == [old]
    assert found(status="CANCELED") == [new]
    assert found(model_name="image-instance-segmentation") == [new, old]
    assert found(model_name="wanx-v1") == []
    assert found(api_key_id=alice.key.public_id) == [new, old]
    assert found(api_key_id="another") == []
    assert found(start_time="20240516135002") == [new]
    assert found(start_time="20240516135001", end_time="20240516135001") == [old]
    assert found(end_time="20240516135000") == []


@pytest.mark.parametrize(
    "query",
    [
        {"page_no": 0},
        {"page_size": 101},
        {"status": "DONE"},
        {"start_time": "yesterday"},
        {"end_time": "20241399000000"},
    ],
)
def test_a_bad_filter_is_a_bad_parameter(alice: Person, query: dict[str, Any]) -> None:
    response = alice.api().get(TASKS, query)

    assert (response.status_code, response.json()["code"]) == (400, "InvalidParameter")
    assert response.json()["message"].startswith("the parameters must conform to the specification: ")


def test_an_unknown_method_is_refused_in_the_dialects_envelope(alice: Person) -> None:
    response = alice.api().delete(TASKS)

    assert response.status_code == 405
    assert_matches(response.json(), ERRORS["answer"] | {"code": "MethodNotAllowed"})


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_parameters_that_are_null_and_a_byte_order_mark_change_nothing(alice: Person, start: str) -> None:
    body = start + json.dumps(FIXTURE["submit"]["request"] | {"parameters": None})

    response = alice.api().post(f"{SUBMIT}/", body, content_type="application/json", headers=ASYNC)

    assert response.status_code == 200
    assert_matches(response.json(), FIXTURE["submit"]["answer"])


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/task", f"{TASKS}/x/y/", f"{SUBMIT}/x"])
def test_an_unknown_path_is_answered_in_the_dialects_envelope(client: Client, path: str) -> None:
    for method in ("get", "post", "put"):
        response = getattr(client, method)(path)

        assert response.status_code == 404
        expected = {"code": "NotFound", "message": "There is nothing at this URL.", "request_id": "<uuid>"}
        assert_matches(response.json(), expected)


def test_dashscope_takes_two_submissions_a_second(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.teams.rates.WINDOW_S", 60)
    body = {"model": "image-instance-segmentation", "input": {"image_url": "https://pictures.example/1.jpg"}}
    route = "/api/v1/services/aigc/image2image/image-synthesis"

    answers = [
        alice.api().post(route, body, "application/json", headers={"X-DashScope-Async": "enable"}) for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "Throttling.RateQuota"
    assert '"dashscope-submit";q=2;w=60' in answers[-1]["RateLimit-Policy"]
    task = answers[0].json()["output"]["task_id"]
    assert alice.api().post(f"/api/v1/tasks/{task}/cancel").status_code == 200
