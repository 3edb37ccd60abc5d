"""The client package: retries, idempotency keys, resumed downloads and the command, with a scripted service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from keyline import AsyncKeyline, Keyline, KeylineError
from keyline.command import main

from tests import loops

JOB = {
    "id": "1",
    "status": "succeeded",
    "error": None,
    "images_total": 1,
    "images_succeeded": 1,
    "images_failed": 0,
    "images": [],
    "images_next": None,
}
Answer = httpx.Response | Exception


class Script:
    """Return responses in order, and record the requests and the pauses between them."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.requests, self.pauses = list(answers), [], []  # type: ignore[var-annotated]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> Keyline:
        return Keyline("http://site", key="kl_1", transport=httpx.MockTransport(self), sleep=self.pauses.append)

    def keys(self) -> set[str]:
        return {request.headers["Idempotency-Key"] for request in self.requests}


def busy(after_s: str) -> httpx.Response:
    return httpx.Response(503, headers={"Retry-After": after_s}, json={"detail": "busy", "code": "queue_unavailable"})


def test_a_submission_is_repeated_with_its_key_as_retry_after_says() -> None:
    script = Script(busy("7"), httpx.ConnectError("lost"), httpx.Response(202, json=JOB))

    job = script.client().submit([b"picture"], threshold=20, crop=True)

    assert job.id == "1"
    assert script.pauses[0] == 7
    assert len(script.pauses) == 2
    assert len(script.keys()) == 1
    assert b'name="crop"\r\n\r\ntrue' in script.requests[-1].content


def test_a_final_error_is_raised_at_once() -> None:
    problem = {"detail": "threshold: too high", "code": "invalid_parameter", "field": "threshold"}
    script = Script(httpx.Response(422, json=problem))

    with pytest.raises(KeylineError) as raised:
        script.client().submit([b"picture"], threshold=99)

    assert (raised.value.status, raised.value.code, raised.value.field) == (422, "invalid_parameter", "threshold")
    assert script.pauses == []


def test_a_quota_that_is_used_up_for_hours_is_not_waited_for() -> None:
    used_up = httpx.Response(429, headers={"Retry-After": "40000"}, json={"detail": "x", "code": "quota_exceeded"})

    with pytest.raises(KeylineError):
        Script(used_up).client().cut_out(b"picture")


def test_an_unreachable_service_is_given_up_after_some_tries() -> None:
    script = Script(*[httpx.ConnectError("down")] * 6)

    with pytest.raises(KeylineError, match="cannot be reached"):
        script.client().account()

    assert len(script.requests) == 6


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    class Lost(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield b"01234"
            raise httpx.ReadError("lost")

    script = Script(httpx.Response(200, headers={"ETag": '"e"'}, stream=Lost()), httpx.Response(206, content=b"56789"))
    (tmp_path / ".a.png.part").write_bytes(b"of another file")

    path = script.client().download("/files/1/a.png", tmp_path / "a.png")

    assert path.read_bytes() == b"0123456789"
    assert "Range" not in script.requests[0].headers
    assert (script.requests[1].headers["Range"], script.requests[1].headers["If-Range"]) == ("bytes=5-", '"e"')
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_a_jobs_pictures_are_read_page_by_page() -> None:
    image = {"id": "1", "name": "a.jpg", "status": "succeeded", "error": None, "files": []}
    first = httpx.Response(200, json={**JOB, "images": [image], "images_next": "http://site/api/jobs/1/?images_page=2"})
    script = Script(first, httpx.Response(200, json={**JOB, "images": [image]}))

    assert len(script.client().job("1").images) == 2


def test_the_async_client_repeats_as_well() -> None:
    script, pauses = Script(busy("3"), httpx.Response(200, json=JOB)), []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def submitted() -> str:
        transport = httpx.MockTransport(script)
        async with AsyncKeyline("http://site", transport=transport, sleep=sleep) as client:
            return (await client.submit([b"picture"])).id

    assert loops.run(submitted()) == "1"
    assert (pauses, len(script.keys())) == ([3.0], 1)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Script]:
    def arrange(*answers: Answer) -> Script:
        script = Script(*answers)
        monkeypatch.setattr("keyline.command.Keyline", lambda url, key: script.client())
        return script

    return arrange


def test_the_command_cuts_out_a_folder_and_skips_what_is_there(scripted: Callable[..., Script], tmp_path: Path) -> None:
    photos, results = tmp_path / "photos", tmp_path / "results"
    photos.mkdir()
    for name in ("a.jpg", "b.JPG", "notes.txt"):
        (photos / name).write_bytes(b"x")
    picture = {"headers": {"Content-Type": "image/png"}, "content": b"png"}
    problem = httpx.Response(422, json={"detail": "not a picture", "code": "image_unreadable"})
    script = scripted(httpx.Response(200, **picture), problem, httpx.Response(200, **picture))

    command = ["--url", "http://site", "p", str(photos), str(results), "--crop"]
    statuses = [main(command), main(command)]

    assert statuses == [1, 0]
    assert sorted(path.name for path in results.iterdir()) == ["a.png", "b.png"]
    assert len(script.requests) == 3


def test_the_command_asks_for_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYLINE_URL", raising=False)

    assert main(["i", "a.jpg", "b.png"]) == 2
