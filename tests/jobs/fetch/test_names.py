"""Tests that a download looks up a host name once, and connects to the checked IP address."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from jobs.errors import DownloadFailed, UrlForbidden
from jobs.intake.fetch import Policy, fetch_bytes
from jobs.intake.fetch import connection as connection_module
from tests.jobs.fetch.resolving import resolves_to
from tests.jobs.site import PICTURE, Site, answer, redirect


def test_a_name_is_looked_up_once_and_the_checked_address_is_the_one_used(
    serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve({"/a.png": answer()})
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.0.0.1"]

    def no_lookup(*args: object, **kwargs: object) -> None:
        raise AssertionError("the system looked the name up a second time")

    monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    fetched = fetch_bytes(site.url("/a.png", "pictures.example"), site.policy(), resolver=rebinding)
    assert fetched.data == PICTURE
    assert lookups == ["pictures.example"]
    assert site.requests[0][2]["Host"] == f"pictures.example:{site.port}"


def test_a_name_that_is_rebound_between_two_redirects_is_refused(serve: Callable[..., Site]) -> None:
    site = serve({"/a": redirect("/b"), "/b": answer()})
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with pytest.raises(UrlForbidden):
        fetch_bytes(site.url("/a", "pictures.example"), site.policy(), resolver=lambda host, port: next(answers))
    assert site.paths == ["/a"]


def test_a_mixed_answer_is_refused_without_a_connection_to_the_allowed_half(serve: Callable[..., Site]) -> None:
    site = serve({"/a": answer()})
    with pytest.raises(UrlForbidden):
        fetch_bytes(site.url("/a", "pictures.example"), site.policy(), resolver=resolves_to("127.0.0.1", "10.0.0.1"))
    assert site.requests == []


def test_the_next_address_is_tried_when_the_first_does_not_answer(serve: Callable[..., Site]) -> None:
    site = serve({"/a": answer()})
    policy = site.policy(allowed_hosts=(f"127.0.0.0/8:{site.port}",))
    resolver = resolves_to("127.0.0.2", "127.0.0.1")
    assert fetch_bytes(site.url("/a", "pictures.example"), policy, resolver=resolver).data == PICTURE


def test_a_named_host_is_allowed_by_its_name(serve: Callable[..., Site]) -> None:
    site = serve({"/a": answer()})
    policy = Policy(allowed_hosts=(f"images.internal:{site.port}",))
    resolver = resolves_to("127.0.0.1")
    assert fetch_bytes(site.url("/a", "images.internal"), policy, resolver=resolver).data == PICTURE
    with pytest.raises(UrlForbidden):
        fetch_bytes(site.url("/a", "other.internal"), policy, resolver=resolver)


@pytest.mark.parametrize("fault", [socket.gaierror("no such name"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_a_failed_download(fault: Exception) -> None:
    def failing(host: str, port: int) -> list[str]:
        raise fault

    with pytest.raises(DownloadFailed, match="no address"):
        fetch_bytes("http://nowhere.example/", Policy(), resolver=failing)


def test_the_system_resolver_gives_each_address_once() -> None:
    assert connection_module.system_resolver("127.0.0.1", 80) == ["127.0.0.1"]
