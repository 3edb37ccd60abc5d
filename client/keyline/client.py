"""The synchronous client, for programs without asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from keyline import requests
from keyline.model import Job, KeylineError, Picture, job_of
from keyline.part import Part
from keyline.requests import Source


class Keyline:
    """A client of a Keyline site. Its methods raise KeylineError for errors of the service and the connection.

    url: the site's URL.
    key: the secret of an API key; empty for a site that needs no key.
    timeout_s: the time limit of one request, in seconds.
    transport: the httpx transport that sends the requests. Tests replace it, so that they need no network.
    sleep: the function that waits before a retry; its argument is the number of seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        timeout_s: float = 90.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=requests.site_url(url), headers=requests.headers_of(key), timeout=timeout_s, transport=transport
        )
        self._sleep = sleep

    def __enter__(self) -> Keyline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def cut_out(self, source: Source, **options: Any) -> Picture:
        """Cut out the subject of one picture and return the result.

        source: a path, a URL that begins with http:// or https://, or the bytes of a file.
        options: the API's options (`format`, `background`, `crop`, …).

        Raise KeylineError if the service refuses the picture or cannot process it.
        """
        media_type = f"image/{options.get('format') or 'png'}"
        response = self._submit([source], options, wait_s=None, accept=media_type)
        return Picture(response.content, response.headers["Content-Type"])

    def submit(self, sources: Sequence[Source], *, wait_s: int = 0, **options: Any) -> Job:
        """Submit pictures as one job and return the job.

        sources: for each picture, a path, a URL that begins with http:// or https://, or the bytes of a file.
        options: the API's options (`format`, `background`, `crop`, …).
        wait_s: wait up to this number of seconds for the job's end; 0 does not wait.
        """
        return job_of(self._submit(sources, options, wait_s=wait_s, accept="application/json").json())

    def job(self, job_id: str, *, wait_s: int = 0) -> Job:
        """Return a job in its current state, with all its pictures.

        job_id: the `id` of a Job.
        wait_s: wait up to this number of seconds for the job's end; 0 does not wait.
        """
        body = self._send("GET", f"/api/jobs/{job_id}/", params={"wait": wait_s, "images_page_size": 500}).json()
        following = body["images_next"]
        while following:
            page = self._send("GET", following).json()
            body["images"] += page["images"]
            following = page["images_next"]
        return job_of(body)

    def wait(self, job: Job, *, timeout_s: float = 3600.0, progress: Callable[[Job], None] | None = None) -> Job:
        """Wait until a job has ended (succeeded, failed or canceled), and return it in its last state.

        progress: a function that is called with the job after each request, or None.

        Raise KeylineError if the job has not ended after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        while not job.is_terminal:
            if time.monotonic() >= deadline:
                raise KeylineError(f"job {job.id} has not ended in {timeout_s:g} s", code="timeout")
            job = self.job(job.id, wait_s=10)
            if progress is not None:
                progress(job)
        return job

    def cancel(self, job: Job) -> Job:
        return job_of(self._send("POST", f"/api/jobs/{job.id}/cancel").json())

    def delete(self, job: Job) -> None:
        self._send("DELETE", f"/api/jobs/{job.id}/")

    def account(self) -> dict[str, Any]:
        """Return the limits and the usage of the API key's team, as the JSON object of the API's `/api/account`."""
        account: dict[str, Any] = self._send("GET", "/api/account").json()
        return account

    def download(self, url: str, path: str | Path) -> Path:
        """Download a file to `path`, and return the path. An existing file is overwritten.

        If the connection is lost or the service refuses temporarily, the download continues where it stopped. Raise
        KeylineError if the service returns another error, or after six attempts.

        url: the URL of a StoredFile, or a URL path of the site.
        """
        part = Part(Path(path))
        for attempt in count(1):
            try:
                pause = self._download(url, part, attempt)
                if pause is None:
                    break
            except httpx.TransportError as error:
                pause = requests.pause_before(attempt, None)
                if pause is None:
                    raise KeylineError(f"{url} could not be downloaded: {error}") from error
            self._sleep(pause)
        return part.complete()

    def zip(self, job: Job, path: str | Path) -> Path:
        """Download all results of a job as one zip file to `path`, and return the path."""
        return self.download(f"/api/jobs/{job.id}/zip", path)

    def _download(self, url: str, part: Part, attempt: int) -> float | None:
        """Download what is missing of a file. Return None, or the seconds to wait before the next attempt."""
        with self._http.stream("GET", url, headers=part.request_headers(), follow_redirects=True) as response:
            if not part.begins(response):
                response.read()
                pause = requests.pause_before(attempt, response)
                if pause is None:
                    requests.checked(response)
                return pause
            for piece in response.iter_bytes():
                part.append(piece)
        return None

    def _submit(
        self, sources: Sequence[Source], options: dict[str, Any], *, wait_s: int | None, accept: str
    ) -> httpx.Response:
        headers = {"Accept": accept, "Idempotency-Key": requests.new_idempotency_key()}
        return self._send(
            "POST",
            "/api/jobs/",
            params={} if wait_s is None else {"wait": wait_s},
            data=requests.fields_of(sources, options),
            files=requests.files_of(sources) or None,
            headers=headers,
        )

    def _send(self, method: str, url: str, **request: Any) -> httpx.Response:
        """Send a request and return its successful response.

        Retry the request after temporary failures of the service or the connection. Raise KeylineError for an error
        response, or when the last attempt has failed.
        """
        attempt = 0
        while True:
            attempt += 1
            response: httpx.Response | None = None
            try:
                response = self._http.request(method, url, **request)
            except httpx.TransportError as error:
                pause = requests.pause_before(attempt, None)
                if pause is None:
                    raise KeylineError(f"the service cannot be reached: {error}") from error
            else:
                pause = requests.pause_before(attempt, response)
                if pause is None:
                    return requests.checked(response)
            self._sleep(pause)
