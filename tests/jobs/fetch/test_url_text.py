"""Tests that a malformed URL causes a different error than a forbidden URL."""

from __future__ import annotations

import pytest

from jobs.errors import UrlForbidden, UrlMalformed
from jobs.intake.fetch import Policy, check_url


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://exa mple.com/", UrlMalformed),
        ("http://example.com/\ud800", UrlMalformed),
        ("http://example.com\\a", UrlMalformed),
        ("http://", UrlMalformed),
        ("http:///a.png", UrlMalformed),
        ("http://[bad/a.jpg", UrlMalformed),
        ("http://[bad]/a.jpg", UrlMalformed),
        ("http://a..b/x.png", UrlMalformed),
        ("http://example.com:http/", UrlMalformed),
        ("http://\u2260\u0338.example/", UrlMalformed),
        ("ftp://example.com/", UrlForbidden),
        ("http://alice@example.com/", UrlForbidden),
        ("http://example.com:22/", UrlForbidden),
        ("http://127.1/", UrlForbidden),
        ("http://[fe80::1%25eth0]/", UrlForbidden),
        ("http://10.0.0.1/", UrlForbidden),
        ("http://localhost/", UrlForbidden),
    ],
)
def test_what_is_no_url_is_told_from_what_may_not_be_fetched(url: str, kind: type[UrlForbidden]) -> None:
    with pytest.raises(UrlForbidden) as refusal:
        check_url(url, Policy())
    assert type(refusal.value) is kind
