"""Tests that a download follows a limited number of redirects, and only to public IP addresses."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from jobs.errors import DownloadFailed, UrlForbidden, UrlMalformed
from jobs.intake.fetch import fetch_bytes
from jobs.intake.fetch.url import redirect_target
from tests.jobs.fetch.resolving import resolves_to
from tests.jobs.site import PICTURE, Site, answer, redirect


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_to_a_relative_address(status: int, serve: Callable[..., Site]) -> None:
    site = serve({"/old/a.png": redirect("../new.png", status), "/new.png": answer()})
    fetched = fetch_bytes(site.url("/old/a.png"), site.policy())
    assert (fetched.data, fetched.final_url) == (PICTURE, site.url("/new.png"))


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "//10.0.0.1/a.png",
        "http://[::ffff:10.0.0.1]/",
        "http://0x7f000001/",
        "http://localhost./",
        "http://alice:secret@pictures.example/",
        "http://pictures.example:22/",
        "file:///etc/passwd",
        "gopher://pictures.example/",
        "http://internal.example/",
    ],
)
def test_a_redirect_to_a_forbidden_place_is_refused(location: str, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": redirect(location)})
    with pytest.raises(UrlForbidden):
        fetch_bytes(site.url("/a.png"), site.policy(), resolver=resolves_to("10.0.0.7"))
    assert site.paths == ["/a.png"]


@pytest.mark.parametrize("location", ["//[", "http://[::1", "http://ex℀mple.com/".encode().decode("latin-1")])
def test_a_redirect_to_a_malformed_address_is_refused_like_such_a_url(
    location: str, serve: Callable[..., Site]
) -> None:
    site = serve({"/a.png": redirect(location)})
    with pytest.raises(UrlMalformed):
        fetch_bytes(site.url("/a.png"), site.policy())


def test_redirects_in_a_circle_end_after_the_allowed_number(serve: Callable[..., Site]) -> None:
    site = serve({"/a": redirect("/b"), "/b": redirect("/a")})
    with pytest.raises(DownloadFailed):
        fetch_bytes(site.url("/a"), site.policy(max_redirects=3))
    assert site.paths == ["/a", "/b", "/a", "/b"]


def test_as_many_redirects_as_allowed_are_followed(serve: Callable[..., Site]) -> None:
    site = serve({"/0": redirect("/1"), "/1": redirect("/2"), "/2": answer()})
    assert fetch_bytes(site.url("/0"), site.policy(max_redirects=2)).data == PICTURE
    with pytest.raises(DownloadFailed):
        fetch_bytes(site.url("/0"), site.policy(max_redirects=1))


def test_one_deadline_spans_all_redirects(serve: Callable[..., Site]) -> None:
    site = serve({"/a": redirect("/a")})
    ticks = itertools.count()
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes(site.url("/a"), site.policy(deadline_s=50, max_redirects=1000), clock=lambda: float(next(ticks)))
    assert len(site.requests) < 50


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/图片.jpg".encode().decode("latin-1"), "/%E5%9B%BE%E7%89%87.jpg"),
        ("/my picture.jpg", "/my%20picture.jpg"),
        ("  /new.jpg \t", "/new.jpg"),
        ("/a%20b%E5%9B%BE.jpg", "/a%20b%E5%9B%BE.jpg"),
        ("/caf\xe9.jpg", "/caf%E9.jpg"),
        ("/a\u3000b.jpg".encode().decode("latin-1"), "/a%E3%80%80b.jpg"),
        # An emoji of three characters, one of which is invisible.
        ("/👩\u200d🚀.jpg".encode().decode("latin-1"), "/%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80.jpg"),
        ("/folder\\a.jpg", "/folder/a.jpg"),
    ],
)
def test_a_location_is_mended_as_browsers_mend_it(location: str, path: str, serve: Callable[..., Site]) -> None:
    site = serve({"/old": redirect(location), path: answer()})

    assert fetch_bytes(site.url("/old"), site.policy()).data == PICTURE

    assert site.paths == ["/old", path]


@pytest.mark.parametrize(
    "location",
    [" http://10.0.0.1/my picture.jpg", "\\\\10.0.0.1\\a.jpg", "http:\\\\10.0.0.1/a.jpg", "/\\10.0.0.1/a.jpg"],
)
def test_a_mended_location_to_a_forbidden_place_is_refused(location: str, serve: Callable[..., Site]) -> None:
    site = serve({"/old": redirect(location)})

    with pytest.raises(UrlForbidden):
        fetch_bytes(site.url("/old"), site.policy())


def test_a_backslash_in_the_query_of_a_location_is_no_slash() -> None:
    assert redirect_target("/a\\b?c\\d#e\\f") == "/a/b?c%5Cd#e%5Cf"
