"""Tests of requests without a key from open networks, and of requests from web pages of other origins.

The setting MATTING_OPEN_TO opens a range of IP addresses to a team. Requests from this range need no key and count as
requests of the team.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from jobs.models import AuditEntry, Job
from jobs.teams.open_networks import open_networks
from tests.api.native.sent import photo
from tests.cast import Person

SHOP = "https://shop.example"


@pytest.fixture
def opened(alice: Person, settings: Settings) -> None:
    settings.MATTING_OPEN_TO = ["127.0.0.1/32=Studio", "10.0.0.0/8=Nobody"]


@pytest.mark.usefixtures("opened", "idle_worker")
def test_a_caller_in_an_open_network_acts_for_its_team(alice: Person, jpeg_bytes: bytes) -> None:
    answer = Client().post("/api/jobs/", {"image": photo(jpeg_bytes)})

    assert answer.status_code == 202
    assert Job.objects.get().team == alice.team
    assert AuditEntry.objects.get(action="job.submitted").actor_name == "network 127.0.0.1/32"


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    "unlike",
    [
        {"REMOTE_ADDR": "127.0.0.2"},
        {"REMOTE_ADDR": "10.1.2.3"},  # the team of this network does not exist
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_X_FORWARDED_FOR": "203.0.113.9"},
        {"HTTP_AUTHORIZATION": "Bearer kl_wrong"},
    ],
    ids=["another address", "a team that is missing", "a page of another site", "a proxy", "a wrong key"],
)
def test_everyone_else_needs_a_key(unlike: dict[str, str]) -> None:
    assert Client().get("/api/jobs/", **unlike).status_code == 401


@pytest.mark.usefixtures("opened")
def test_an_open_network_may_not_manage_the_team(alice: Person) -> None:
    client = Client()

    assert client.get("/api/jobs/").status_code == 200
    assert client.post("/api/webhooks/", {"url": "https://a.example"}, "application/json").status_code == 403
    assert client.get("/health").json()["open_to"][0] == "127.0.0.1/32 acts for Studio"


def test_without_the_setting_no_network_is_open(alice: Person) -> None:
    assert Client().get("/api/jobs/").status_code == 401


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.1/32=", "nonsense=Studio"])
def test_an_invalid_entry_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"network|Studio|TEAM|127"):
        open_networks([entry])


@pytest.fixture
def shop(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]


def preflight(origin: str, path: str = "/api/jobs/") -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    return Client().options(path, headers=asked)


@pytest.mark.usefixtures("shop", "db")
def test_a_page_of_an_allowed_origin_may_call_the_apis() -> None:
    answer = preflight(SHOP)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert "x-api-key" in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Access-Control-Allow-Origin" not in preflight("https://evil.example")


@pytest.mark.usefixtures("shop")
def test_a_page_of_an_allowed_origin_may_read_answers_and_signed_links(
    alice: Person, jpeg_bytes: bytes, instant_worker: object
) -> None:
    job = alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}, headers={"Origin": SHOP})
    link = job.json()["images"][0]["files"][0]["url"]

    assert job["Access-Control-Allow-Origin"] == SHOP
    assert "X-Request-Id" in job["Access-Control-Expose-Headers"]
    assert Client().get(link, headers={"Origin": SHOP})["Access-Control-Allow-Origin"] == SHOP
