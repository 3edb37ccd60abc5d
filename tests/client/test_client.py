"""Tests of the client package with a fake service: retries, idempotency keys, resumed downloads, and the command."""

from __future__ import annotations

import re
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
    """A fake service that returns given responses in order.

    It records the requests, and the client's pauses in seconds.
    """

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


def test_a_download_that_is_refused_for_a_moment_is_repeated(tmp_path: Path) -> None:
    script = Script(busy("7"), httpx.Response(200, content=b"zip"))

    path = script.client().download("/api/jobs/1/zip", tmp_path / "a.zip")

    assert (path.read_bytes(), script.pauses) == (b"zip", [7])


def test_the_async_client_repeats_a_download_as_well(tmp_path: Path) -> None:
    script, pauses = Script(busy("7"), httpx.Response(200, content=b"zip")), []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def download() -> Path:
        async with AsyncKeyline("http://site", transport=httpx.MockTransport(script), sleep=pause) as client:
            return await client.download("/api/jobs/1/zip", tmp_path / "a.zip")

    assert (loops.run(download()).read_bytes(), pauses) == (b"zip", [7])


def test_a_download_that_is_refused_for_good_is_an_error_at_once(tmp_path: Path) -> None:
    script = Script(httpx.Response(404, json={"detail": "There are no results.", "code": "not_found"}))

    with pytest.raises(KeylineError, match="no results"):
        script.client().download("/api/jobs/1/zip", tmp_path / "a.zip")

    assert script.pauses == []


@pytest.mark.parametrize("url", ["site:8000", "localhost", "ftp://site", "http://", "http://site:port"])
def test_a_url_that_is_no_sites_is_refused_at_once(url: str) -> None:
    with pytest.raises(KeylineError, match="URL"):
        Keyline(url)
    with pytest.raises(KeylineError, match="URL"):
        AsyncKeyline(url)


def test_a_download_is_followed_to_a_bucket_without_the_key(tmp_path: Path) -> None:
    there = httpx.Response(302, headers={"Location": "https://bucket.example/a.png?signature=1"})
    script = Script(there, httpx.Response(200, content=b"png"))

    path = script.client().download("/files/1/a.png", tmp_path / "a.png")

    assert path.read_bytes() == b"png"
    assert [request.headers.get("Authorization") for request in script.requests] == ["Bearer kl_1", None]


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


def test_the_command_takes_every_format_of_the_site(scripted: Callable[..., Script], tmp_path: Path) -> None:
    names = ["a.jpg", "b.png", "c.webp", "d.heic", "e.heif", "f.avif", "g.tif", "h.jxl", "i.jp2", "j.bmp", "k.gif"]
    source = tmp_path / "in"
    source.mkdir()
    for name in names:
        (source / name).write_bytes(b"picture")
    answers = [httpx.Response(200, content=b"png", headers={"Content-Type": "image/png"}) for _ in names]
    script = scripted(*answers)

    assert main(["--url", "http://site", "p", str(source), str(tmp_path / "out")]) == 0
    assert len(script.requests) == len(names)


def test_pictures_with_the_same_stem_keep_separate_results(scripted: Callable[..., Script], tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.jpg", "A.jfif", "b.jpg"):
        (source / name).write_bytes(b"picture")
    answers = [httpx.Response(200, content=b"png", headers={"Content-Type": "image/png"}) for _ in range(3)]
    scripted(*answers)

    assert main(["--url", "http://site", "p", "-d", str(source), str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A.jfif.png", "a.jpg.png", "b.png"]


def test_the_command_asks_for_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYLINE_URL", raising=False)

    assert main(["i", "a.jpg", "b.png"]) == 2


HABITS = [
    (["-a"], {"refine": "true"}),
    (["-om"], {"outputs": "mask"}),
    (["-ppm"], {"alpha_mode": "binary", "threshold": "25", "feathering": "true"}),
    (["-ppm", "--threshold", "5"], {"alpha_mode": "binary", "threshold": "5", "feathering": "true"}),
    (["-dc", "-vm"], {"decontaminate": "true", "quality": "auto"}),
    (["-vm", "--quality", "fine"], {"quality": "fine"}),
    (["-bgc", "255", "0", "16", "255"], {"background": "#ff0010"}),
    (["-bgc", "255", "0", "16", "0"], {}),
    (["-m", "u2net", "-af", "240", "-ab", "10", "-ae", "10"], {}),
    (
        ["-x", '{"sam_prompt": [{"type": "point", "data": [9, 8], "label": 0}], "model_path": "/etc/passwd"}'],
        {"method": "points", "points": "[[9, 8, 0]]"},
    ),
    (
        ["-x", '{"sam_prompt": [{"type": "rectangle", "data": [1, 2, 30, 40]}]}'],
        {"method": "boxes", "boxes": "[[1, 2, 30, 40]]"},
    ),
]


@pytest.mark.parametrize(("flags", "expected"), HABITS, ids=[" ".join(flags)[:20] for flags, _ in HABITS])
def test_the_flags_of_rembg_are_sent_as_the_sites_options(
    scripted: Callable[..., Script], tmp_path: Path, flags: list[str], expected: dict[str, str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    script = scripted(httpx.Response(200, headers={"Content-Type": "image/png"}, content=b"png"))

    status = main(["--url", "http://site", "i", *flags, str(tmp_path / "a.jpg"), str(tmp_path / "b.png")])

    parts = re.findall(rb'name="(\w+)"\r\n\r\n(.*?)\r\n--', script.requests[0].content, re.DOTALL)
    assert status == 0
    assert {name.decode(): value.decode() for name, value in parts} == expected


def test_flags_without_effect_are_reported(
    scripted: Callable[..., Script], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    scripted(httpx.Response(200, headers={"Content-Type": "image/png"}, content=b"png"))

    main(["--url", "http://site", "i", "-m", "u2net", str(tmp_path / "a.jpg"), str(tmp_path / "b.png")])

    assert "-m has no effect here." in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["-bgc", "1", "2", "3", "128"], ["-x", "[]"], ["-x", '{"sam_prompt": [1]}']])
def test_flags_that_cannot_be_sent_are_refused(
    scripted: Callable[..., Script], capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    script = scripted()

    assert main(["--url", "http://site", "i", *flags, "a.jpg", "b.png"]) == 2
    assert flags[0] in capsys.readouterr().err
    assert script.requests == []


def test_a_missing_file_is_reported_without_a_traceback(
    scripted: Callable[..., Script], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted()

    assert main(["--url", "http://site", "i", str(tmp_path / "missing[red].jpg"), str(tmp_path / "b.png")]) == 1
    assert "missing[red].jpg: No such file" in capsys.readouterr().err


def test_inputs_are_deleted_only_once_their_results_are_there(scripted: Callable[..., Script], tmp_path: Path) -> None:
    photos, results = tmp_path / "photos", tmp_path / "results"
    photos.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(b"x")
    problem = httpx.Response(422, json={"detail": "not a picture", "code": "image_unreadable"})
    scripted(httpx.Response(200, headers={"Content-Type": "image/png"}, content=b"png"), problem)

    main(["--url", "http://site", "p", "-d", str(photos), str(results)])

    assert [path.name for path in photos.iterdir()] == ["b.jpg"]
    assert (results / "a.png").read_bytes() == b"png"


def test_a_job_is_waited_for_by_its_id(scripted: Callable[..., Script], tmp_path: Path) -> None:
    ended = httpx.Response(200, json={**JOB, "status": "succeeded"})
    script = scripted(ended, httpx.Response(200, content=b"zip"))

    status = main(["--url", "http://site", "wait", "1", str(tmp_path / "out.zip")])

    assert (status, (tmp_path / "out.zip").read_bytes()) == (0, b"zip")
    assert [request.url.path for request in script.requests] == ["/api/jobs/1/", "/api/jobs/1/zip"]
