"""Tests that the guarded client, which downloads from untrusted URLs, refuses all IP addresses of a table."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import UrlForbidden, UrlTooLong
from jobs.intake.fetch import Policy, check_url, fetch_bytes, post_bytes
from jobs.intake.fetch.address import is_metadata, is_public
from jobs.intake.fetch.connection import DeadlineSocket
from jobs.intake.fetch.policy import Allowance

REFUSED_ADDRESSES = {
    "loopback": "127.0.0.1",
    "loopback, another": "127.8.9.1",
    "IPv6 loopback": "::1",
    "this host": "0.0.0.0",
    "IPv6 unspecified": "::",
    "private 10/8": "10.0.0.1",
    "private 172.16/12": "172.31.255.255",
    "private 192.168/16": "192.168.1.1",
    "metadata": "169.254.169.254",
    "container credentials": "169.254.170.2",
    "Alibaba metadata": "100.100.100.200",
    "Azure host agent": "168.63.129.16",
    "Oracle metadata": "192.0.0.192",
    "IPv6 metadata": "fd00:ec2::254",
    "Google IPv6 metadata": "fd20:ce::254",
    "shared 100.64/10": "100.64.0.1",
    "benchmarks": "198.18.0.1",
    "documentation": "192.0.2.1",
    "6to4 relay": "192.88.99.1",
    "protocol assignments": "192.0.0.9",
    "multicast": "224.0.0.1",
    "global-scope multicast": "233.1.1.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "unique local": "fc00::1",
    "link-local": "fe80::1",
    "site-local": "fec0::1",
    "IPv6 multicast": "ff0e::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, new": "3fff::1",
    "segment routing": "5f00::1",
    "discard": "100::1",
    "ORCHIDv2": "2001:20::1",
    "IPv4-mapped": "::ffff:10.0.0.1",
    "IPv4-mapped in hex": "::ffff:7f00:1",
    "IPv4-compatible": "::10.0.0.1",
    "IPv4-translated": "::ffff:0:10.0.0.1",
    "6to4": "2002:a00:1::",
    "6to4 metadata": "2002:a9fe:a9fe::",
    "NAT64": "64:ff9b::10.0.0.1",
    "NAT64 metadata": "64:ff9b::169.254.169.254",
    "local NAT64": "64:ff9b:1::8.8.8.8",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "Teredo, private client": "2001:0:808:808:0:0:f5ff:fffe",
    "ISATAP": "2a00:1450:4001:81b:0:5efe:10.0.0.1",
}

REFUSED_URLS = {
    "decimal host": "http://2130706433/",
    "octal host": "http://0177.0.0.1/",
    "octal host in one": "http://017700000001/",
    "hex host": "http://0x7f000001/",
    "hex part": "http://0x7f.0.0.1/",
    "short host": "http://127.1/",
    "zero": "http://0/",
    "name that ends in a number": "http://example.1/",
    "full-width digits": "http://１２７.０.０.１/",
    "circled digits": "http://①②⑦.0.0.1/",
    "ideographic full stop": "http://127。0。0。1/",
    "literal with a dot at its end": "http://127.0.0.1./",
    "localhost": "http://localhost/",
    "localhost.": "http://localhost./",
    "LOCALHOST": "http://LOCALHOST/",
    "under localhost": "http://pictures.localhost/",
    "circled localhost": "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "two dots at the end": "http://localhost../",
    "file": "file:///etc/passwd",
    "gopher": "gopher://example.com/_x",
    "ftp": "ftp://example.com/a.png",
    "data": "data:image/png;base64,AAAA",
    "javascript": "javascript:alert(1)",
    "unix socket": "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "no scheme": "example.com/a.png",
    "scheme-relative": "//example.com/a.png",
    "empty": "",
    "no host": "http:///a.png",
    "no slashes": "http:example.com/a.png",
    "user": "http://alice@example.com/",
    "user and password": "http://alice:secret@example.com/",
    "empty user": "http://@example.com/",
    "user that looks like a host": "http://example.com@127.0.0.1/",
    "escaped at": "http://example.com%40127.0.0.1/",
    "port 22": "http://example.com:22/",
    "port 6379": "http://example.com:6379/",
    "port 8080": "https://example.com:8080/",
    "port 0": "http://example.com:0/",
    "port too large": "http://example.com:65616/",
    "port not a number": "http://example.com:http/",
    "full-width port": "http://example.com:８０/",
    "two ports": "http://example.com:80:80/",
    "zone": "http://[fe80::1%25eth0]/",
    "zone on a public address": "http://[2a00:1450:4001:81b::200e%251]/",
    "text after the bracket": "http://[2a00:1450:4001:81b::200e]example.com/",
    "bracket not closed": "http://[::1/",
    "name in brackets": "http://[example.com]/",
    "space": "http://example.com/a b.png",
    "space before": " http://example.com/",
    "tab in the scheme": "ht\ttp://example.com/",
    "new line": "http://example.com/\r\nX-Header: 1",
    "null": "http://example.com/\x00",
    "delete": "http://example.com/\x7f",
    "no-break space": "http://example.com/\u00a0",
    "right-to-left mark": "http://example.com/\u200f",
    "lone surrogate": "http://example.com/\ud800",
    "backslash": "http://example.com\\@127.0.0.1/",
    "backslashes for slashes": "http:\\\\127.0.0.1/",
    "escaped host": "http://%31%32%37.0.0.1/",
    "empty label": "http://example..com/",
    "label too long": f"http://{'a' * 64}.com/",
    "host too long": f"http://{'a.' * 127}com/",
    "bad punycode source": "http://\u2260\u0338.example/",
    "asterisk": "http://*.example.com/",
}

PUBLIC = "93.184.216.34"
Send = Callable[..., object]


def get_picture(url: str, policy: Policy, answers: list[str]) -> object:
    return fetch_bytes(url, policy, resolver=lambda host, port: answers)


def post_callback(url: str, policy: Policy, answers: list[str]) -> object:
    return post_bytes(url, b"{}", {}, policy, resolver=lambda host, port: answers)


both_uses = pytest.mark.parametrize("send", [get_picture, post_callback], ids=["picture", "callback"])


@pytest.fixture(autouse=True)
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: DeadlineSocket, address: object) -> None:
        raise AssertionError(f"a connection to {address} was tried")

    monkeypatch.setattr(DeadlineSocket, "connect", connect)


@both_uses
@pytest.mark.parametrize("text", REFUSED_ADDRESSES.values(), ids=REFUSED_ADDRESSES.keys())
def test_an_address_outside_the_public_internet_is_refused_in_a_url(text: str, send: Send) -> None:
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(UrlForbidden):
        check_url(f"http://{host}/a.png", Policy())
    with pytest.raises(UrlForbidden):
        send(f"https://{host}/a.png", Policy(), [PUBLIC])


@both_uses
@pytest.mark.parametrize("text", REFUSED_ADDRESSES.values(), ids=REFUSED_ADDRESSES.keys())
def test_a_name_that_resolves_outside_the_public_internet_is_refused(text: str, send: Send) -> None:
    with pytest.raises(UrlForbidden) as refusal:
        send("http://pictures.example/a.png", Policy(), [text])
    assert text not in refusal.value.message


@both_uses
@pytest.mark.parametrize("text", ["10.0.0.1", "::1", "2002:a00:1::", "fd00:ec2::254"])
@pytest.mark.parametrize("private_first", [True, False])
def test_a_mixed_answer_is_refused_whichever_address_comes_first(text: str, private_first: bool, send: Send) -> None:
    answers = [text, PUBLIC] if private_first else [PUBLIC, text]
    with pytest.raises(UrlForbidden):
        send("http://pictures.example/a.png", Policy(), answers)


@both_uses
@pytest.mark.parametrize("url", REFUSED_URLS.values(), ids=REFUSED_URLS.keys())
def test_a_url_that_can_be_misread_is_refused(url: str, send: Send) -> None:
    with pytest.raises(UrlForbidden):
        check_url(url, Policy())
    with pytest.raises(UrlForbidden):
        send(url, Policy(), [PUBLIC])


def test_a_refusal_says_its_reason() -> None:
    reasons = {
        "ftp://example.com/": "must begin with",
        "http://alice:secret@example.com/": "user name or password",
        "http://example.com:22/": "Port 22",
        "http://0x7f000001/": "number",
        "http://10.0.0.1/": "public Internet",
        "http://example.com/a b": "white space",
    }
    for url, reason in reasons.items():
        with pytest.raises(UrlForbidden, match=reason) as refusal:
            check_url(url, Policy(), field="image_url")
        assert refusal.value.field == "image_url"


@both_uses
def test_the_longest_allowed_url_passes_and_one_byte_more_is_too_long(send: Send) -> None:
    url = "https://pictures.example/" + "a" * (2048 - len("https://pictures.example/"))
    check_url(url, Policy())
    with pytest.raises(UrlTooLong):
        check_url(url + "a", Policy())
    with pytest.raises(UrlTooLong):
        send(url + "a", Policy(), [PUBLIC])


def test_the_length_of_a_url_counts_bytes_and_not_characters() -> None:
    with pytest.raises(UrlTooLong):
        check_url("https://pictures.example/" + "图" * 700, Policy())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com:443/a.png?size=large&name=%20x#part",
        "HTTPS://Example.COM./a",
        "http://example.com:/a",
        "https://bücher.example/图.png",
        "http://xn--bcher-kva.example/",
        "http://cdn_1.example/",
        "http://8.8.8.8/",
        "http://[2a00:1450:4001:81b::200e]/",
        "http://[2002:808:808::]/",
        "http://[64:ff9b::8.8.8.8]/",
        "http://1.example/",
    ],
)
def test_an_ordinary_public_url_passes(url: str) -> None:
    check_url(url, Policy())


@both_uses
@pytest.mark.parametrize("text", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "168.63.129.16"])
def test_metadata_stays_closed_even_when_everything_is_allowed(text: str, send: Send) -> None:
    everything = Policy(allowed_hosts=("0.0.0.0/0", "::/0", text, "pictures.example"))
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(UrlForbidden):
        send(f"http://{host}/", everything, [PUBLIC])
    with pytest.raises(UrlForbidden):
        send("http://pictures.example/", everything, [text])


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address", "is_permitted"),
    [
        ("", "pictures.example", 443, PUBLIC, True),
        ("", "pictures.example", 9000, PUBLIC, False),
        ("127.0.0.1:9000", "127.0.0.1", 9000, "127.0.0.1", True),
        ("127.0.0.1:9000", "127.0.0.1", 80, "127.0.0.1", False),
        ("127.0.0.1:9000", "127.0.0.1", 9001, "127.0.0.1", False),
        ("127.0.0.1:9000", "pictures.example", 9000, "127.0.0.1", True),
        ("127.0.0.1:9000", "127.0.0.2", 9000, "127.0.0.2", False),
        ("127.0.0.1:*", "127.0.0.1", 1, "127.0.0.1", True),
        ("127.0.0.1:*", "pictures.example", 65535, "127.0.0.1", True),
        ("127.0.0.1:*", "127.0.0.1", 0, "127.0.0.1", False),
        ("127.0.0.1:*", "127.0.0.2", 80, "127.0.0.2", False),
        ("images.internal:*", "images.internal", 9000, "10.9.9.9", True),
        ("10.1.0.0/16", "store.internal", 443, "10.1.200.3", True),
        ("10.1.0.0/16", "store.internal", 443, "10.2.0.1", False),
        ("10.1.0.0/16", "store.internal", 8443, "10.1.200.3", False),
        ("10.1.0.0/16:8443", "store.internal", 8443, "10.1.200.3", True),
        ("images.internal:8443", "images.internal", 8443, "10.9.9.9", True),
        ("images.internal:8443", "images.internal", 443, "10.9.9.9", False),
        ("images.internal:8443", "images.internal", 443, PUBLIC, True),
        ("images.internal:8443", "other.internal", 8443, "10.9.9.9", False),
        ("images.internal", "evil.images.internal", 443, "10.9.9.9", False),
        ("Images.Internal.", "images.internal", 80, "10.9.9.9", True),
        ("fd00:1::/32", "store.internal", 443, "fd00:1::7", True),
        ("[fd00:1::/32]:9000", "store.internal", 9000, "fd00:1::7", True),
        ("[::1]:9000", "::1", 9000, "::1", True),
        ("::1", "::1", 80, "::1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", 80, "::ffff:127.0.0.1", False),
    ],
)
def test_the_allow_list_opens_what_it_names_and_nothing_else(
    allowed: str, host: str, port: int, address: str, is_permitted: bool
) -> None:
    policy = Policy(allowed_hosts=(allowed,) if allowed else ())
    assert policy.permits(host, port, ip_address(address)) is is_permitted


def test_an_allowed_name_on_another_port_is_refused_before_any_lookup() -> None:
    policy = Policy(allowed_hosts=("images.internal:8443",))
    check_url("https://images.internal:8443/a.png", policy)
    with pytest.raises(UrlForbidden):
        check_url("https://images.internal:8444/a.png", policy)
    with pytest.raises(UrlForbidden):
        check_url("https://other.internal:8443/a.png", policy)


def test_localhost_passes_when_its_name_or_its_network_is_allowed() -> None:
    check_url("http://localhost:9000/", Policy(allowed_hosts=("localhost:9000",)))
    check_url("http://localhost:9000/", Policy(allowed_hosts=("127.0.0.0/8:9000",)))
    with pytest.raises(UrlForbidden):
        check_url("http://localhost/", Policy(allowed_hosts=("127.0.0.1:9000",)))


@pytest.mark.parametrize(
    "entry",
    ["", "*", "*.internal", "10.0.0.0/33", "127.1", "host:0", "host:65536", "host:http", "http://host", "[host]x"],
)
def test_a_slip_in_the_allow_list_is_an_error_that_names_the_entry(entry: str) -> None:
    with pytest.raises(ValueError) as error:
        Policy(allowed_hosts=(entry,))
    assert repr(entry) in str(error.value)


# IANA's registry of special-purpose IPv4 addresses, multicast, and Azure's agent, as a manual list that is independent
# of libraries.
SPECIAL_V4 = [
    IPv4Network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ]
]
any_ipv4 = st.ip_addresses(v=4) | st.sampled_from(SPECIAL_V4).flatmap(lambda network: st.ip_addresses(network=network))


def wrapped(kind: str, inner: IPv4Address) -> IPv6Address:
    number = int(inner)
    return IPv6Address(
        {
            "mapped": 0xFFFF << 32 | number,
            "compatible": number,
            "translated": 0xFFFF << 48 | number,
            "nat64": 0x64FF9B << 96 | number,
            "6to4": 0x2002 << 112 | number << 80 | 0x1234,
            "isatap": 0x2A001450 << 96 | 0x5EFE << 32 | number,
        }[kind]
    )


@given(any_ipv4)
def test_an_ipv4_address_is_public_exactly_when_no_registry_claims_it(address: IPv4Address) -> None:
    assert is_public(address) is not any(address in network for network in SPECIAL_V4)


@pytest.mark.parametrize("kind", ["mapped", "compatible", "translated", "nat64", "6to4", "isatap"])
@given(inner=any_ipv4)
def test_a_wrapped_ipv4_address_is_public_exactly_when_the_inner_one_is(kind: str, inner: IPv4Address) -> None:
    assert is_public(wrapped(kind, inner)) is is_public(inner)
    assert is_metadata(wrapped(kind, inner)) is is_metadata(inner)


@given(st.sampled_from(["2001::/32", "64:ff9b:1::/48"]).flatmap(lambda text: st.ip_addresses(network=text)))
def test_teredo_and_local_nat64_are_never_public(address: IPv6Address) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=6) | st.ip_addresses(network=IPv6Network("2000::/3")))
def test_a_public_ipv6_address_is_global_unicast_after_unwrapping(address: IPv6Address) -> None:
    inner = address.ipv4_mapped or address.sixtofour
    if is_public(address) and inner is None and int(address) >> 96 not in (0, 0xFFFF << 16, 0x64FF9B):
        assert address in IPv6Network("2000::/3")
        assert address.is_global
    if inner is not None:
        assert is_public(address) is is_public(inner)


def test_an_allowance_is_read_once_and_kept() -> None:
    assert Allowance.parse("10.1.0.0/16") is Allowance.parse("10.1.0.0/16")
