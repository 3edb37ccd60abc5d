"""Tests that a TLS connection to a checked IP address still verifies the host name and the certificate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import DownloadFailed
from jobs.intake.fetch import connection as connection_module
from jobs.intake.fetch import fetch_bytes
from tests.jobs.fetch.certificates import Authority
from tests.jobs.fetch.resolving import resolves_to
from tests.jobs.site import PICTURE, Site, answer, endless


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_path))
    connection_module.tls_context.cache_clear()
    yield authority
    connection_module.tls_context.cache_clear()


def test_a_pinned_tls_connection_keeps_name_and_certificate_check(
    authority: Authority, serve: Callable[..., Site]
) -> None:
    names: list[str | None] = []
    context = authority.server_context("pictures.example")
    context.sni_callback = lambda sock, name, context: names.append(name)
    site = serve({"/a.png": answer()}, context)
    url = site.url("/a.png", "pictures.example", "https")
    assert fetch_bytes(url, site.policy(), resolver=resolves_to("127.0.0.1")).data == PICTURE
    assert names == ["pictures.example"]
    assert site.requests[0][2]["Host"] == f"pictures.example:{site.port}"


def test_a_certificate_for_another_name_is_refused(authority: Authority, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer()}, authority.server_context("another.example"))
    url = site.url("/a.png", "pictures.example", "https")
    with pytest.raises(DownloadFailed, match="secure connection"):
        fetch_bytes(url, site.policy(), resolver=resolves_to("127.0.0.1"))
    assert site.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(
    authority: Authority, serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "stranger").mkdir()
    stranger = Authority(tmp_path / "stranger")
    site = serve({"/a.png": answer()}, stranger.server_context("pictures.example"))
    url = site.url("/a.png", "pictures.example", "https")
    with pytest.raises(DownloadFailed, match="secure connection"):
        fetch_bytes(url, site.policy(), resolver=resolves_to("127.0.0.1"))


def test_the_clock_also_stops_a_tls_body(authority: Authority, serve: Callable[..., Site]) -> None:
    site = serve({"/a": endless}, authority.server_context("pictures.example"))
    ticks = itertools.count()
    url = site.url("/a", "pictures.example", "https")
    policy = site.policy(deadline_s=60, max_bytes=10**9)
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes(url, policy, resolver=resolves_to("127.0.0.1"), clock=lambda: float(next(ticks)))
