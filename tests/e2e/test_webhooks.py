"""Tests of a running site that downloads a picture by its URL, and calls a callback URL after the job's end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook as Receiver

from tests.jobs.site import Site, answer
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def site(png_bytes: bytes) -> Iterator[Site]:
    site = Site({"/a.png": answer(png_bytes), "/hook": answer(b"ok"), "/callback": answer(b"ok")})
    site.thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()


def test_a_worker_fetches_the_picture_and_both_receivers_can_verify_the_news(live_stack: Stack, site: Site) -> None:
    api = live_stack.api()
    webhook = api.post("/api/webhooks/", json={"url": site.url("/hook")}).json()
    callback_secret = api.get("/api/webhooks/callback-secret").json()["secret"]

    body = {"image_url": site.url("/a.png"), "callback_url": site.url("/callback")}
    job = api.post("/api/jobs/?wait=60", json=body).json()
    assert job["status"] == "succeeded", job
    wait_for(lambda: {"/hook", "/callback"} <= set(site.paths), timeout_s=60, what=lambda: str(site.paths))

    for path, secret in (("/hook", webhook["secret"]), ("/callback", callback_secret)):
        _, _, headers, message = next(request for request in site.requests if request[1] == path)
        news = Receiver(secret).verify(message, headers)
        assert (news["type"], news["data"]["id"]) == ("job.succeeded", job["id"])
    listed = api.get(f"/api/webhooks/deliveries/?job={job['id']}").json()
    assert listed["count"] == 2
    assert api.delete(f"/api/webhooks/{webhook['id']}/").status_code == 204


def test_a_picture_on_a_private_address_is_refused_by_the_running_site(live_stack: Stack) -> None:
    answered = live_stack.api().post("/api/jobs/", json={"image_url": "http://10.0.0.1/a.png"})
    assert (answered.status_code, answered.json()["code"]) == (422, "url_forbidden")
    assert answered.json()["field"] == "image_url"
