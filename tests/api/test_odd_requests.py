"""Tests that send unusual requests to each route of each API: the documentation must describe all responses."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from rest_framework.serializers import Serializer

from jobs.api.native.serializers import JobJsonSerializer
from jobs.errors import DownloadFailed, errors_by_code
from jobs.models import Job
from tests.api.contracts import Contract, Submission, every_contract, needs
from tests.api.native.sent import photo
from tests.cast import Person
from tests.fakes import FakeEngine

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
CONTRACTS = {contract.name: contract for contract in every_contract()}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
WITH_BODY = ("post", "put", "patch")
ACCEPTS = ("", "text/html", "image/*", "application/xml;q=0.1, */*;q=0", "no type", ";;q=,", "image/png;q=nan")
FORM = "multipart/form-data; boundary=b"
BODIES = (
    ("", b""),
    ("", b"x=1"),
    ("text/plain", b"x"),
    ("no type", b"x"),
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json", b"null"),
    ("application/json", b"[1]"),
    ("application/json", b'"text"'),
    ("application/json", b'{"threshold": NaN}'),
    ("application/json", b'{"image_url": "\\ud800"}'),
    ("application/json", b"[" * 20_000),
    ("application/json", "{}".encode("utf-16")),
    ("application/json; charset=nothing", b"{}"),
    ("application/x-www-form-urlencoded", b"%ff=%00&;&=&" + b"a=1&" * 2000),
    ("multipart/form-data", b"x"),
    (FORM, b""),
    (FORM, b"--b\r\n\r\nx"),
    (FORM, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n'),
    ("image/jpeg", b""),
    ("image/jpeg", b"no picture"),
)
ODD_VALUES: tuple[Any, ...] = (None, True, -1, "\x00", "\ud800", "x" * 300, [{"a": None}])
# The statuses of a body that is too long, of an unknown type, or without a length are those of `malformed_body` too.
ALSO = {400, 411, 413, 415}


@dataclass(frozen=True)
class Route:
    """A route of an API, and the URL that the tests use for this route."""

    pattern: URLPattern
    url: str

    @property
    def methods(self) -> set[str]:
        view = self.pattern.callback.view_class
        return {name for name in ("get", *WITH_BODY, "delete") if hasattr(view, name)}


def routes_of(name: str, job_id: str) -> list[Route]:
    routes = []
    for pattern in import_module(f"jobs.api.{name}.urls").urlpatterns:
        converters = getattr(pattern.pattern, "converters", {})
        values = {key: {"job_id": job_id}.get(key, _value(type(kind).__name__)) for key, kind in converters.items()}
        if not str(pattern.pattern).startswith("^"):
            routes.append(Route(pattern, reverse(pattern.name, kwargs=values)))
    return routes


def _value(converter: str) -> object:
    return {"UUIDConverter": uuid.uuid4(), "IntConverter": 2}.get(converter, "nothing")


def documented(contract: Contract, response: Any, request: str) -> Iterator[str]:
    """Yield a message for each part of a response that the API's documentation does not describe.

    request: a description of the request; each message begins with it.
    """
    status = response.status_code
    if not response.headers.get("X-Request-Id"):
        yield f"{request}: no request id"
    if status < 400 and not (contract.always_200 and b"error_code" in response.getvalue()):
        return
    cells = [contract.written(code) for code in contract.codes if code not in contract.untold]
    statuses = {int(found) for cell in cells for found in re.findall(r"^\d{3}\b", cell)} | ALSO
    if status >= 500 or (status not in statuses and not contract.always_200):
        yield f"{request}: status {status}"
    if request.startswith("HEAD"):
        return
    try:
        body = json.loads(response.getvalue())
    except ValueError:
        yield f"{request}: {status} {response.getvalue()[:80]!r} is no JSON"
        return
    if not has_envelope(contract, body):
        yield f"{request}: {status} {str(body)[:200]}"


def has_envelope(contract: Contract, body: Any) -> bool:
    """Return whether a response body has the error format of the API.

    In the native API, the error for an invalid parameter must also name its field.
    """
    if "error_description" in body:  # OAuth 2.0, of Baidu's tokens
        return set(body) == {"error", "error_description"}
    if contract.name == "native":
        needs_field = body.get("code") == "invalid_parameter"
        return body.get("code") in errors_by_code() and (bool(body["field"]) or not needs_field)
    return any(set(body) == set(contract.envelope(kind())) for kind in errors_by_code().values())


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, instant_worker: FakeEngine) -> None:
    """Switch off rate limits, because their errors would replace the tested responses, and block downloads."""

    def away(*args: object, **values: object) -> None:
        raise DownloadFailed

    monkeypatch.setattr("jobs.api.base.request_spend", lambda team, rates: [])
    monkeypatch.setattr("jobs.work.tasks._downloaded", away)


@pytest.fixture
def job_id(alice: Person, jpeg_bytes: bytes) -> str:
    return str(alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()["id"])


@pytest.fixture
def client_of_alice(alice: Person) -> Client:
    return Client(headers=alice.headers, raise_request_exception=False)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_method_and_accept_is_answered(name: str, client_of_alice: Client, job_id: str) -> None:
    problems: list[str] = []
    for route in routes_of(name, job_id):
        for method in METHODS:
            if method != "DELETE" or "delete" not in route.methods:
                response = client_of_alice.generic(method, route.url)
                problems += documented(CONTRACTS[name], response, f"{method} {route.url}")
        for accept in ACCEPTS if "get" in route.methods else ():
            for url in (route.url, f"{route.url}/" if route.url[-1] != "/" else route.url[:-1]):
                response = client_of_alice.get(url, headers={"Accept": accept})
                problems += documented(CONTRACTS[name], response, f"GET {url} Accept: {accept}")

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_odd_body_is_refused_in_the_apis_format(name: str, client_of_alice: Client, job_id: str) -> None:
    problems: list[str] = []
    for route in routes_of(name, job_id):
        for method in route.methods.intersection(WITH_BODY):
            for content_type, body in BODIES:
                headers = {"X-DashScope-Async": "enable"}
                response = client_of_alice.generic(method.upper(), route.url, body, content_type, headers=headers)
                request = f"{method.upper()} {route.url} {content_type} {body[:30]!r}"
                problems += documented(CONTRACTS[name], response, request)

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", CONTRACTS)
def test_fields_of_any_type_are_read_or_refused(name: str, client_of_alice: Client, job_id: str) -> None:
    problems: list[str] = []
    fields = sorted({field for kind in serializers_of(CONTRACTS[name]) for field in kind().fields} | {"treshold"})
    for route in routes_of(name, job_id):
        if name == "native" and route.pattern.name not in WITH_OPTIONS:
            continue
        for method in route.methods.intersection(WITH_BODY):
            for field in fields:
                for value in ODD_VALUES:
                    body = json.dumps({**USUAL.get(name, {}), field: value})
                    response = client_of_alice.generic(
                        method.upper(), route.url, body, "application/json", headers={"X-DashScope-Async": "enable"}
                    )
                    problems += documented(CONTRACTS[name], response, f"{method.upper()} {route.url} {body[:90]}")

    assert not problems, "\n".join(problems)


# The native API's routes that take the options of a cut-out.
WITH_OPTIONS = ("jobs", "job-again", "job-variants")
# Fields that make a request valid except for the odd one.
USUAL: dict[str, dict[str, Any]] = {
    "native": {"image_url": "https://pictures.example/a.jpg"},
    "baidu": {"url": "https://pictures.example/a.jpg"},
    "picwish": {"image_url": "https://pictures.example/a.jpg"},
    "removebg": {"image_url": "https://pictures.example/a.jpg"},
    "unet": {"input_dir": "/root/inputs", "output_dir": "/root/outputs"},
    "dashscope": {"model": "image-instance-segmentation", "input": {"image_url": "https://pictures.example/a.jpg"}},
}


def serializers_of(contract: Contract) -> tuple[type[Serializer], ...]:
    if contract.name != "native":
        return contract.serializers
    return (JobJsonSerializer,)


@pytest.mark.parametrize("name", CONTRACTS)
def test_empty_and_several_files_are_refused_or_read(name: str, client_of_alice: Client, jpeg_bytes: bytes) -> None:
    problems: list[str] = []
    for submission in CONTRACTS[name].submissions:
        if not submission.file:
            continue
        for files in ([b""], [jpeg_bytes, jpeg_bytes], [b"", jpeg_bytes]):
            sent = {submission.file: [photo(file) for file in files]}
            response = client_of_alice.post(f"{submission.path}", sent, headers=submission.headers)
            problems += documented(CONTRACTS[name], response, f"{submission.path} {[len(file) for file in files]}")

    assert not problems, "\n".join(problems)


SUBMISSIONS = [(name, one) for name, contract in CONTRACTS.items() if name != "native" for one in contract.submissions]


@pytest.mark.parametrize(
    ("name", "submission"), SUBMISSIONS, ids=[f"{name} {number}" for number, (name, _) in enumerate(SUBMISSIONS)]
)
def test_a_dialect_names_the_fields_that_it_ignores(
    name: str, submission: Submission, client_of_alice: Client, jpeg_bytes: bytes
) -> None:
    url, headers = "https://pictures.example/a.jpg", submission.headers
    if submission.query is not None:
        response = client_of_alice.get(submission.path, {**submission.query(url), "treshold": "5"}, headers=headers)
    elif submission.body is not None:
        body = {**submission.body(url), "treshold": 5}
        response = client_of_alice.post(submission.path, body, "application/json", headers=headers)
    else:
        field = submission.file or submission.base64
        value = photo(jpeg_bytes) if submission.file else base64.b64encode(jpeg_bytes).decode()
        # Baidu's API takes no multipart form, and reports an error, with status 200, without a method.
        sent = {field: value, "method": "auto", "treshold": "5"}
        how = () if submission.file else ("application/x-www-form-urlencoded",)
        response = client_of_alice.post(
            submission.path, sent if submission.file else urlencode(sent), *how, headers=headers
        )

    assert "treshold" in response["X-Ignored-Fields"]


QUERIES = [
    ("unet", "post", "/api/matting/single"),
    ("unet", "get", "/api/matting/task/batch_20260101_000000"),
    ("baidu", "post", "/rest/2.0/image-process/v1/segment"),
    ("baidu", "get", "/oauth/2.0/token?grant_type=client_credentials&client_id={id}&client_secret={secret}"),
    ("dashscope", "post", "/api/v1/services/aigc/image2image/image-synthesis"),
    ("dashscope", "get", "/api/v1/tasks"),
    ("dashscope", "get", "/api/v1/uploads?action=getPolicy&model=any"),
    ("picwish", "post", "/task/pic/segmentation"),
    ("removebg", "get", "/v1.0/account"),
    ("removebg", "post", "/v1.0/removebg"),
]


@pytest.mark.parametrize(("method", "url"), [rest for name, *rest in QUERIES if name in CONTRACTS])
def test_a_dialect_names_the_query_parameters_that_it_ignores(
    alice: Person, client_of_alice: Client, method: str, url: str
) -> None:
    asked = url.format(id=alice.key.public_id, secret=alice.secret)
    response = getattr(client_of_alice, method)(f"{asked}{'&' if '?' in asked else '?'}treshold=5")

    assert response["X-Ignored-Fields"] == "treshold"


@needs("picwish")
def test_more_query_parameters_than_may_be_read_do_not_lose_the_answer(
    client_of_alice: Client, jpeg_bytes: bytes
) -> None:
    query = "&".join(f"p{number}=1" for number in range(1001))

    response = client_of_alice.post(f"/api/tasks/visual/segmentation?{query}", {"image_file": photo(jpeg_bytes)})

    assert response.json()["data"]["task_id"]
    assert Job.objects.count() == 1
