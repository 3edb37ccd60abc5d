"""Tests of the guarded client, which downloads from untrusted URLs: its requests, and the responses that it accepts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from jobs.errors import DownloadFailed
from jobs.intake.fetch import Policy, fetch_bytes
from tests.jobs.fetch.resolving import resolves_to
from tests.jobs.site import PICTURE, Site, answer


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
