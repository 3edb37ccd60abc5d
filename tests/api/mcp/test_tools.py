"""Tests of the MCP server's tools, called by the client of the package `mcp`."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from PIL import Image

from jobs.api.mcp.server import build_server
from jobs.models import AuditEntry, Job, JobImage, Scope
from jobs.teams.keys import key_create
from tests import loops
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.mcp_over_http import serving_tools
from tests.quota.actions import set_quota
from tests.stack import ROOT, Stack

# Tools run in threads, which see only committed rows.
pytestmark = pytest.mark.django_db(transaction=True)


def call(tool: str, **arguments: Any) -> Any:
    async def called() -> Any:
        async with Client(build_server(base_url="http://site")) as client:
            return await client.call_tool(tool, arguments)

    return loops.run(called())


@pytest.fixture
def keyed(alice: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("KEYLINE_KEY", alice.secret)
    return alice


def picture_in(result: Any) -> Image.Image:
    content = next(part for part in result.content if part.type == "image")
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


def test_a_picture_is_cut_out_looked_at_and_fetched(
    keyed: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    answer = call("cut_out", image_base64=base64.b64encode(jpeg_bytes).decode(), boxes=[[10, 10, 300, 300]])
    job = Job.objects.get()

    shown = json.loads(call("look_at_job", job_id=str(job.pk)).content[0].text)
    fetched = call("fetch_result", job_id=str(job.pk))

    assert not answer.is_error
    assert (picture_in(answer).mode, picture_in(fetched).size) == ("RGBA", (512, 512))
    assert instant_worker.calls == ["boxes"]
    assert (shown["status"], shown["dialect"]) == ("succeeded", "mcp")
    assert shown["images"][0]["files"][0]["url"].startswith("http://site/files/")
    assert AuditEntry.objects.get(action="job.submitted").key_id == keyed.key.public_id


def test_points_select_the_subject(
    keyed: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, clickable_weights: None
) -> None:
    call("cut_out", image_base64=base64.b64encode(jpeg_bytes).decode(), points=[[10, 20, 1], [30, 40, 0]])

    assert Job.objects.get().options["points"] == [[10, 20, 1], [30, 40, 0]]
    assert instant_worker.calls == ["points"]


def test_a_link_of_a_result_is_the_picture_of_the_next_call(
    keyed: Person, jpeg_bytes: bytes, instant_worker: FakeEngine
) -> None:
    call("cut_out", image_base64=base64.b64encode(jpeg_bytes).decode())
    shown = json.loads(call("look_at_job", job_id=str(Job.objects.get().pk)).content[0].text)
    links = {file["kind"]: file["url"] for file in shown["images"][0]["files"]}

    chained = call("cut_out", image_url=links["cutout"])

    assert picture_in(chained).size == (512, 512)
    assert not JobImage.objects.exclude(source_url="").exists()


@pytest.mark.parametrize("arguments", [{}, {"image_base64": "eA=="}, {"image_url": "http://127.0.0.1/"}])
def test_an_error_is_told_with_its_code(keyed: Person, instant_worker: FakeEngine, arguments: dict[str, str]) -> None:
    answer = call("cut_out", **arguments)

    assert answer.is_error
    assert answer.content[0].text.rstrip().endswith(("(image_missing)", "(image_unreadable)", "(url_forbidden)"))


@pytest.mark.parametrize(
    ("arguments", "name"), [({"treshold": 5}, "treshold"), ({"image_url": "https://pictures.example/a"}, "image_url")]
)
def test_an_argument_that_would_be_ignored_is_refused(
    keyed: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, arguments: dict[str, Any], name: str
) -> None:
    answer = call("cut_out", image_base64=base64.b64encode(jpeg_bytes).decode(), **arguments)

    assert answer.is_error
    assert name in answer.content[0].text
    assert not Job.objects.exists()


def test_keys_scopes_and_quotas_apply(
    keyed: Person, charlie: Person, jpeg_bytes: bytes, instant_worker: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = base64.b64encode(jpeg_bytes).decode()
    call("cut_out", image_base64=picture)
    set_quota(keyed, images_per_day=1)
    _, reader = key_create(team=keyed.team, name="reader", scopes=[Scope.READ])

    used_up = call("cut_out", image_base64=picture)
    monkeypatch.setenv("KEYLINE_KEY", reader)
    without_scope = call("cut_out", image_base64=picture)
    monkeypatch.setenv("KEYLINE_KEY", charlie.secret)
    of_another_team = call("look_at_job", job_id=str(Job.objects.get().pk))
    monkeypatch.setenv("KEYLINE_KEY", "wrong")
    without_key = call("look_at_job", job_id=str(Job.objects.get().pk))

    codes = [one.content[0].text for one in (used_up, without_scope, of_another_team, without_key)]
    for text, code in zip(
        codes, ("quota_exceeded", "permission_denied", "job_not_found", "authentication_required"), strict=True
    ):
        assert text.rstrip().endswith(f"({code})")


@pytest.fixture
def http_server(live_stack: Stack) -> Iterator[str]:
    """Yield the URL at which the running site's tools are served over streamable HTTP."""
    with serving_tools(live_stack) as port:
        yield f"http://127.0.0.1:{port}/mcp"


@pytest.mark.e2e
def test_streamable_http_with_the_key_of_each_caller(live_stack: Stack, http_server: str, png_bytes: bytes) -> None:
    _, secret = live_stack.create_key(team="Assistants")
    large = png_bytes + bytes(5 * 2**20)  # longer than the package's own timeout of a request

    async def called(key: str, tool: str, **arguments: Any) -> Any:
        http = create_mcp_http_client(headers={"Authorization": f"Bearer {key}"} if key else {})
        async with http, Client(streamable_http_client(http_server, http_client=http)) as client:
            return await client.call_tool(tool, arguments)

    def call_over_http(key: str, tool: str, **arguments: Any) -> Any:
        return loops.run(called(key, tool, **arguments))

    answer = call_over_http(secret, "cut_out", image_base64=base64.b64encode(large).decode(), crop=True)
    job_id = answer.content[-1].text.removeprefix("job ")
    shown = json.loads(call_over_http(secret, "look_at_job", job_id=job_id).content[0].text)
    refused = [call_over_http(key, "look_at_job", job_id=job_id) for key in ("", "wrong", live_stack.secret)]

    assert picture_in(answer).mode == "RGBA"
    assert picture_in(call_over_http(secret, "fetch_result", job_id=job_id, kind="source")).size == (512, 512)
    assert shown["images"][0]["files"][0]["url"].startswith(live_stack.base_url)
    codes = [one.content[0].text.rpartition("(")[2] for one in refused]
    assert codes == ["authentication_required)", "authentication_required)", "job_not_found)"]


@pytest.mark.e2e
def test_stdio_on_a_running_site(live_stack: Stack, jpeg_bytes: bytes) -> None:
    _, secret = live_stack.create_key(team="Studio")
    environment = {**live_stack.environment, "KEYLINE_KEY": secret}
    command = StdioServerParameters(
        command=sys.executable, args=[str(ROOT / "manage.py"), "mcp"], env=environment, cwd=str(ROOT)
    )

    async def called() -> Any:
        async with Client(command) as client:
            return await client.call_tool("cut_out", {"image_base64": base64.b64encode(jpeg_bytes).decode()})

    assert picture_in(loops.run(called())).mode == "RGBA"


def test_a_recipe_gives_the_finished_picture(keyed: Person, jpeg_bytes: bytes, instant_worker: FakeEngine) -> None:
    answer = call("cut_out", image_base64=base64.b64encode(jpeg_bytes).decode(), recipe="taobao-white")

    assert (picture_in(answer).format, picture_in(answer).size) == ("JPEG", (800, 800))
