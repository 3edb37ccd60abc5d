"""Tests of repeated requests and common response headers, for each way to submit a picture in each API."""

from __future__ import annotations

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.api.contracts import Contract, Submission, every_contract
from tests.api.picture_server import PictureServer
from tests.stack import Stack, wait_for

CONTRACTS = {contract.name: contract for contract in every_contract()}
SUBMISSIONS = [(contract, one) for contract in CONTRACTS.values() for one in contract.submissions]
CONFLICT = "it was used with another request"


@pytest.fixture(scope="module")
def caller(live_stack: Stack) -> requests.Session:
    """Return an HTTP session for the running site. Its key belongs to a team that only these tests use."""
    _, secret = live_stack.create_key(team="Repeating")
    return live_stack.api(secret)


def send(
    caller: requests.Session, submission: Submission, *, photo: bytes, url: str, key: str, fields: dict[str, Any]
) -> requests.Response:
    """Send a submission with the Idempotency-Key `key`; repeat it after a rate limit error; return the last response.

    photo: the file's bytes. url: the URL of the same photo, for submissions by URL. fields: additional fields.
    """
    request: dict[str, Any] = {"headers": {"Idempotency-Key": key, **submission.headers}}
    if submission.query is not None:
        request["params"] = {**submission.query(url), **fields}
    elif submission.body is not None:
        request["json"] = {**submission.body(url), **fields}
    elif submission.base64:
        request["data"] = {submission.base64: base64.b64encode(photo).decode(), **fields}
    else:
        request |= {"files": {submission.file: ("photo.jpg", photo)}, "data": fields}
    method = "POST" if submission.query is None else "GET"
    answers: list[requests.Response] = []

    def sent() -> bool:
        answers.append(caller.request(method, submission.path, **request))
        return answers[-1].status_code != 429

    wait_for(sent, timeout_s=60, what="the rate limit does not end")
    return answers[-1]


def jobs_of(caller: requests.Session) -> int:
    return int(caller.get("/api/jobs/?page_size=1").json()["count"])


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("contract", "submission"), SUBMISSIONS, ids=[f"{contract.name} {one.path}" for contract, one in SUBMISSIONS]
)
def test_a_repeated_submission_makes_one_job_and_another_request_is_told_apart(
    caller: requests.Session,
    picture_server: PictureServer,
    jpeg_bytes: bytes,
    contract: Contract,
    submission: Submission,
) -> None:
    url = picture_server.add("repeated.jpg", jpeg_bytes)
    key, before = str(uuid.uuid4()), jobs_of(caller)

    def sent(**fields: Any) -> requests.Response:
        return send(caller, submission, photo=jpeg_bytes, url=url, key=key, fields=fields)

    with ThreadPoolExecutor(2) as pool:
        at_once = [future.result() for future in [pool.submit(sent) for _ in range(2)]]
    later, other = sent(), sent(**submission.another)

    assert [answer.status_code < 300 for answer in (*at_once, later)] == [True, True, True], at_once[0].text
    assert sorted(str(answer.headers.get("Idempotent-Replayed")) for answer in at_once) == ["None", "true"]
    assert later.headers["Idempotent-Replayed"] == "true"
    assert CONFLICT in other.text
    assert other.status_code == 200 if contract.always_200 else other.status_code in (400, 422)
    assert jobs_of(caller) == before + 1
    for answer in (later, other):
        assert answer.headers["X-Request-Id"]
        assert answer.headers["RateLimit"].startswith('"requests";r=')


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_api_may_be_called_from_an_allowed_origin_alone(name: str, client: Any, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]

    def preflight(path: str, origin: str) -> Any:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        return client.options(path.partition("?")[0], headers=asked)

    for submission in CONTRACTS[name].submissions:
        allowed = preflight(submission.path, "https://shop.example")
        assert (allowed.status_code, allowed["Access-Control-Allow-Origin"]) == (200, "https://shop.example")
        may_send = allowed["Access-Control-Allow-Headers"].lower()
        assert {"authorization", "idempotency-key", *map(str.lower, submission.headers)} <= set(may_send.split(", "))
        assert "Access-Control-Allow-Origin" not in preflight(submission.path, "https://evil.example")
