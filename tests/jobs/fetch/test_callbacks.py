"""Tests of callbacks, which the guarded client (for untrusted URLs) sends to other sites.

The client posts once, follows no redirect and reads only the start of the response.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.intake.fetch import post_bytes
from tests.jobs.site import Answer, Site, answer, endless, endless_chunks, redirect


def test_a_callback_sends_body_and_headers_and_returns_the_answer(serve: Callable[..., Site]) -> None:
    site = serve({"/hook": answer(b"thanks", status=202)})
    response = post_bytes(site.url("/hook"), b'{"a":1}', {"Content-Type": "application/json"}, site.policy())
    assert (response.status, response.body_prefix) == (202, b"thanks")
    method, path, headers, body = site.requests[0]
    assert (method, path, headers["Content-Type"], body) == ("POST", "/hook", "application/json", b'{"a":1}')


def test_a_callback_follows_no_redirect(serve: Callable[..., Site]) -> None:
    site = serve({"/hook": redirect("/other", 307), "/other": answer()})
    assert post_bytes(site.url("/hook"), b"{}", {}, site.policy()).status == 307
    assert site.paths == ["/hook"]


@pytest.mark.parametrize("body", [answer(bytes(100_000)), endless, endless_chunks], ids=["long", "endless", "chunked"])
def test_only_the_start_of_a_receivers_answer_is_read(body: Answer, serve: Callable[..., Site]) -> None:
    site = serve({"/hook": body})
    assert len(post_bytes(site.url("/hook"), b"{}", {}, site.policy()).body_prefix) == 4096


def test_a_receiver_that_breaks_off_after_its_status_has_answered(serve: Callable[..., Site]) -> None:
    site = serve({"/hook": answer(b"than", headers={"Content-Length": "1000"})})
    response = post_bytes(site.url("/hook"), b"{}", {}, site.policy())
    assert (response.status, response.body_prefix) == (200, b"than")


def test_a_header_with_a_line_break_is_never_sent(serve: Callable[..., Site]) -> None:
    site = serve({"/hook": answer()})
    with pytest.raises(ValueError):
        post_bytes(site.url("/hook"), b"{}", {"X-Name": "a\r\nX-Other: b"}, site.policy())
    assert site.requests == []
