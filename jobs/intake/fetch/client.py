"""Send GET requests for pictures and POST requests for callbacks, within the limits of a policy."""

from __future__ import annotations

import http.client
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from jobs.errors import DownloadFailed, UrlMalformed
from jobs.intake.fetch.connection import Clock, Deadline, Resolver, connect, system_resolver
from jobs.intake.fetch.policy import Policy
from jobs.intake.fetch.url import Target, redirect_target, target_from_url
from segmentation.errors import ImageTooLarge, MattingError

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024
_ANSWER_PREFIX_BYTES = 4 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# The request asks for `identity`. Some servers compress anyway, so the limit applies to decoded bytes.
_CODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_NETWORK_ERRORS = (HTTPError, http.client.HTTPException, OSError)


@dataclass(frozen=True)
class Fetched:
    """A downloaded and decoded response body, with the server's content type, the final URL and the duration.

    final_url: the URL after all redirects.
    elapsed_ms: the duration in milliseconds.
    """

    data: bytes
    content_type: str
    final_url: str
    elapsed_ms: int


@dataclass(frozen=True)
class Response:
    """The response to a callback.

    body_prefix: the first 4 KiB of the body, or less.
    elapsed_ms: the duration in milliseconds.
    """

    status: int
    body_prefix: bytes
    elapsed_ms: int


def fetch_bytes(
    url: str, policy: Policy, *, resolver: Resolver = system_resolver, clock: Clock = time.monotonic
) -> Fetched:
    """Download `url` and return its content. Follow at most `policy.max_redirects` redirects.

    Each redirect is checked like the first URL.

    resolver: a function that looks up the IP addresses of a host; tests replace it.
    clock: a monotonic clock in seconds; tests replace it.

    Raise UrlTooLong, UrlMalformed or UrlForbidden for a URL that is not permitted, DownloadFailed if the download
    fails, and ImageTooLarge if the decoded body exceeds `policy.max_bytes`.
    """
    deadline = Deadline(policy.deadline_s, clock)
    headers = {"Accept": "image/*,*/*;q=0.5"}
    for _ in range(policy.max_redirects + 1):
        target = target_from_url(url, policy)
        with _answer("GET", target, None, headers, policy, deadline, resolver) as response:
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                data = _picture_body(response, policy.max_bytes)
                content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Fetched(data, content_type, target.url, deadline.elapsed_ms())
        try:
            url = urljoin(target.url, redirect_target(location))
        except ValueError:  # brackets without an address, or a host that contains a slash after its normalisation
            raise UrlMalformed from None
    raise DownloadFailed("The URL redirects too often.")


def post_bytes(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy,
    *,
    resolver: Resolver = system_resolver,
    clock: Clock = time.monotonic,
) -> Response:
    """Send `body` to `url` by POST and return the response, whatever its status is. Do not follow redirects.

    resolver: a function that looks up the IP addresses of a host; tests replace it.
    clock: a monotonic clock in seconds; tests replace it.

    Raise UrlTooLong, UrlMalformed or UrlForbidden for a URL that is not permitted, and DownloadFailed if there is no
    response.
    """
    deadline = Deadline(policy.deadline_s, clock)
    target = target_from_url(url, policy)
    with _answer("POST", target, body, headers, policy, deadline, resolver) as response:
        return Response(response.status, _prefix(response), deadline.elapsed_ms())


@contextmanager
def _answer(
    method: str,
    target: Target,
    body: bytes | None,
    headers: Mapping[str, str],
    policy: Policy,
    deadline: Deadline,
    resolver: Resolver,
) -> Iterator[HTTPResponse]:
    """Send one request and yield its response before the body is read. Raise DownloadFailed for network errors."""
    connection = None
    try:
        connection = connect(target, policy, deadline, resolver)
        own = {"User-Agent": "Keyline", "Accept-Encoding": "identity", "Connection": "close"}
        connection.request(method, target.path, body=body, headers={**own, **headers}, preload_content=False)
        with connection.getresponse() as response:
            yield response
    except MattingError as error:
        logger.info("%s for %s refused: %s", method, target.host, error.code)
        raise
    except _NETWORK_ERRORS as error:
        logger.info("%s for %s failed: %s", method, target.host, type(error).__name__)
        raise DownloadFailed(_public_reason(error)) from error
    finally:
        if connection is not None:
            connection.close()


def _picture_body(response: HTTPResponse, max_bytes: int) -> bytes:
    if response.status != 200:
        raise DownloadFailed(f"The picture's server answered with status {response.status}.")
    if response.headers.get("Content-Encoding", "").strip().lower() not in _CODINGS:
        raise DownloadFailed("The picture's server compressed its answer, which was not asked for.")
    too_large = ImageTooLarge(f"The file is larger than {max_bytes} bytes.")
    if (response.length_remaining or 0) > max_bytes:
        raise too_large
    # `read`, not `stream`: urllib3's own chunk reader has no limit on the length of a chunk-size line.
    data = bytearray()
    while chunk := response.read(_CHUNK_BYTES, decode_content=True):
        data += chunk
        if len(data) > max_bytes:
            raise too_large
    return bytes(data)


def _prefix(response: HTTPResponse) -> bytes:
    """Return the first _ANSWER_PREFIX_BYTES of the body, or less if the body is shorter or the connection breaks."""
    data = bytearray()
    try:
        while len(data) < _ANSWER_PREFIX_BYTES:
            chunk = response.read1(_ANSWER_PREFIX_BYTES - len(data), decode_content=False)
            if not chunk:
                break
            data += chunk
    except _NETWORK_ERRORS as error:
        logger.info("the body of an answer stopped early: %s", type(error).__name__)
    return bytes(data)


def _public_reason(error: Exception) -> str:
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "The server took too long to answer."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "No secure connection to the server could be made."
    if any(isinstance(cause, http.client.IncompleteRead) for cause in causes):
        return "The server broke off its answer."
    return "The server could not be reached or gave no valid answer."
