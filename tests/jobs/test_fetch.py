"""Stages 1 and 9, intake and callbacks: the guarded client against real local servers: limits, deadline, TLS."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.checks import check_matting_settings
from jobs.errors import DownloadFailed, UrlForbidden
from jobs.fetch import Policy, fetch_bytes, policy_from_settings, post_bytes
from jobs.fetch import connection as connection_module
from jobs.fetch.connection import Deadline, DeadlineSocket
from segmentation.errors import ImageTooLarge
from tests.jobs.certificates import Authority
from tests.jobs.site import PICTURE, Answer, Site, answer, endless, endless_chunks, redirect


@contextmanager
def silent_listener() -> Iterator[int]:
    """Listen and never accept: connections succeed in the backlog, and nothing ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def resolves_to(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda host, port: list(addresses)


# Downloads ------------------------------------------------------------------------------------------------------------


def test_a_picture_comes_back_with_its_type_and_final_url(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(headers={"Content-Type": "Image/PNG; charset=binary"})})
    fetched = fetch_bytes(site.url("/a.png?size=1#top"), site.policy())
    assert (fetched.data, fetched.content_type) == (PICTURE, "image/png")
    assert fetched.final_url == site.url("/a.png?size=1")
    assert fetched.elapsed_ms >= 0


def test_the_request_asks_for_no_compression_and_carries_no_cookie_or_login(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer()})
    fetch_bytes(site.url("/a.png"), site.policy())
    headers = {name.lower(): value for name, value in site.requests[0][2].items()}
    assert headers["accept-encoding"] == "identity"
    assert headers["host"] == f"127.0.0.1:{site.port}"
    assert not {"cookie", "authorization", "referer"} & headers.keys()


def test_characters_outside_ascii_are_escaped_in_the_path(serve: Callable[..., Site]) -> None:
    site = serve({"/%E5%9B%BE.png": answer()})
    assert fetch_bytes(site.url("/图.png?名=%20"), site.policy()).data == PICTURE
    assert site.paths == ["/%E5%9B%BE.png?%E5%90%8D=%20"]


def test_proxies_from_the_environment_are_ignored(serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    site = serve({"/a.png": answer()})
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch_bytes(site.url("/a.png"), site.policy()).data == PICTURE


@pytest.mark.parametrize("status", [201, 204, 206, 304, 403, 404, 500])
def test_any_status_but_200_is_a_failed_download(status: int, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(b"", status=status)})
    with pytest.raises(DownloadFailed, match=str(status)):
        fetch_bytes(site.url("/a.png"), site.policy())


def test_an_answer_that_breaks_off_is_a_failed_download(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(headers={"Content-Length": "1000"})})
    with pytest.raises(DownloadFailed):
        fetch_bytes(site.url("/a.png"), site.policy())


def test_an_answer_that_is_not_http_is_a_failed_download() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(DownloadFailed) as failure:
            fetch_bytes(f"http://127.0.0.1:{port}/", Policy(allowed_hosts=(f"127.0.0.1:{port}",)))
        thread.join()
    assert "SSH" not in failure.value.message


def test_a_refused_connection_is_a_failed_download_that_names_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    policy = Policy(allowed_hosts=(f"127.0.0.1:{port}",))
    with pytest.raises(DownloadFailed) as failure:
        fetch_bytes(f"http://pictures.example:{port}/", policy, resolver=resolves_to("127.0.0.1"))
    assert "127.0.0.1" not in failure.value.message


# Size -----------------------------------------------------------------------------------------------------------------


def test_a_body_of_exactly_the_cap_passes(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(bytes(1000))})
    assert len(fetch_bytes(site.url("/a.png"), site.policy(max_bytes=1000)).data) == 1000


def test_a_declared_length_over_the_cap_is_refused_before_the_body_comes(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(b"", headers={"Content-Length": "1001"})})
    with pytest.raises(ImageTooLarge):
        fetch_bytes(site.url("/a.png"), site.policy(max_bytes=1000))


@pytest.mark.parametrize("body", [endless, endless_chunks], ids=["until the end", "chunked"])
def test_a_body_without_a_length_is_cut_off_at_the_cap(body: Answer, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": body})
    with pytest.raises(ImageTooLarge):
        fetch_bytes(site.url("/a.png"), site.policy(max_bytes=300_000))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_bomb_is_cut_off_by_its_decoded_size(coding: str, serve: Callable[..., Site]) -> None:
    pack = gzip.compress if coding == "gzip" else zlib.compress
    bomb = pack(bytes(30_000_000))
    site = serve({"/a.png": answer(bomb, headers={"Content-Encoding": coding})})
    assert len(bomb) < 100_000
    with pytest.raises(ImageTooLarge):
        fetch_bytes(site.url("/a.png"), site.policy(max_bytes=100_000))


def test_a_compressed_answer_within_the_cap_is_unpacked(serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(gzip.compress(PICTURE), headers={"Content-Encoding": "gzip"})})
    assert fetch_bytes(site.url("/a.png"), site.policy()).data == PICTURE


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "unheard-of"])
def test_another_compression_is_refused(coding: str, serve: Callable[..., Site]) -> None:
    site = serve({"/a.png": answer(headers={"Content-Encoding": coding})})
    with pytest.raises(DownloadFailed):
        fetch_bytes(site.url("/a.png"), site.policy())


# Redirects ------------------------------------------------------------------------------------------------------------


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


# Names ----------------------------------------------------------------------------------------------------------------


def test_a_name_is_looked_up_once_and_the_checked_address_is_the_one_used(
    serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve({"/a.png": answer()})
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.0.0.1"]

    def nobody(*args: object, **kwargs: object) -> None:
        raise AssertionError("the system looked the name up a second time")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
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


# Deadline -------------------------------------------------------------------------------------------------------------


def test_a_lookup_that_never_ends_is_left_behind_at_the_deadline() -> None:
    ended = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        ended.wait()
        return []

    try:
        with pytest.raises(DownloadFailed, match="too long"):
            fetch_bytes("http://slow.example/", Policy(deadline_s=0.05), resolver=hanging)
    finally:
        ended.set()


def test_lookups_beyond_the_bound_wait_only_until_their_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_lookup_slots", threading.BoundedSemaphore(1))
    connection_module._lookup_slots.acquire()
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes("http://busy.example/", Policy(deadline_s=0.05), resolver=resolves_to("8.8.8.8"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_never_speaks_is_left_at_the_deadline(scheme: str) -> None:
    with silent_listener() as port:
        policy = Policy(allowed_hosts=(f"127.0.0.1:{port}",), deadline_s=0.1)
        with pytest.raises(DownloadFailed, match="too long"):
            fetch_bytes(f"{scheme}://127.0.0.1:{port}/", policy)


@pytest.mark.parametrize(("deadline_s", "expected_s"), [(20, 5), (3, 3)])
def test_opening_a_connection_gets_its_own_shorter_limit(
    deadline_s: float, expected_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits_s = []

    def connect(self: DeadlineSocket, address: object) -> None:
        limits_s.append(self.gettimeout())
        raise TimeoutError

    monkeypatch.setattr(DeadlineSocket, "connect", connect)
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes("http://8.8.8.8/", Policy(deadline_s=deadline_s), clock=lambda: 0.0)
    assert limits_s == [expected_s]


def test_a_body_that_keeps_coming_is_cut_off_by_the_clock_and_not_only_by_silence(serve: Callable[..., Site]) -> None:
    site = serve({"/a": endless})
    ticks = itertools.count()
    policy = site.policy(deadline_s=40, max_bytes=10**9)
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes(site.url("/a"), policy, clock=lambda: float(next(ticks)))


def test_each_wait_on_a_socket_gets_only_what_is_left() -> None:
    now = [100.0]
    ours, theirs = socket.socketpair()
    with ours, theirs, DeadlineSocket(fileno=ours.detach()) as dripped:
        dripped.deadline = Deadline(20, clock=lambda: now[0])
        buffer = bytearray(10)
        for second in (0, 5, 19):
            now[0] = 100.0 + second
            theirs.send(b"x")
            assert dripped.recv_into(buffer) == 1
            assert dripped.gettimeout() == 20 - second
        theirs.send(b"x")
        now[0] = 120.0
        for operation in (lambda: dripped.recv(1), lambda: dripped.recv_into(buffer), lambda: dripped.sendall(b"x")):
            with pytest.raises(TimeoutError):
                operation()


# TLS ------------------------------------------------------------------------------------------------------------------


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


# Callbacks ------------------------------------------------------------------------------------------------------------


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


# Settings -------------------------------------------------------------------------------------------------------------


def test_the_operators_settings_become_a_policy(settings: Settings) -> None:
    settings.MATTING_FETCH_ALLOW = ["127.0.0.1:9000", "images.internal"]
    settings.MATTING_FETCH_TIMEOUT_S = 7.5
    settings.MATTING_MAX_IMAGE_BYTES = 1234
    policy = policy_from_settings("picture")
    assert policy.allowed_hosts == ("127.0.0.1:9000", "images.internal")
    assert (policy.deadline_s, policy.max_bytes, policy.max_redirects) == (7.5, 1234, 5)
    assert policy_from_settings("callback").max_redirects == 0


def test_a_slip_in_the_allow_list_fails_the_system_check(settings: Settings) -> None:
    settings.MATTING_FETCH_ALLOW = ["10.0.0.0/33"]
    problems = [problem for problem in check_matting_settings(None) if problem.id == "keyline.E006"]
    assert ["MATTING_FETCH_ALLOW" in problem.msg and "10.0.0.0/33" in problem.msg for problem in problems] == [True]
