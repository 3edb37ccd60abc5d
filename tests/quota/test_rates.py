"""Tests of the limit of requests per second, and of the response headers that show limits."""

from __future__ import annotations

import re
import threading

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from jobs.models import Quota
from jobs.teams import rates
from jobs.teams.rates import Rate, rates_of, request_spend
from tests.cast import Person

from .actions import set_quota, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def long_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the rate limit's time window one minute long, so that it does not end during a test on a slow machine."""
    monkeypatch.setattr(rates, "WINDOW_S", 60)


@pytest.mark.usefixtures("long_seconds")
def test_no_more_requests_pass_at_once_than_allowed(alice: Person) -> None:
    passed = []
    barrier = threading.Barrier(8)

    def spend() -> None:
        barrier.wait()
        passed.extend(not request_spend(alice.team, [Rate("burst", 30)])[-1].is_over for _ in range(10))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passed) == 80
    assert sum(passed) == 30


@pytest.mark.usefixtures("long_seconds")
def test_a_request_too_many_is_refused_with_the_limit_and_the_time(alice: Person) -> None:
    set_quota(alice, requests_per_second=1)
    api = alice.api()
    assert api.get("/api/jobs/").status_code == 200

    refused = api.get("/api/jobs/")

    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert int(refused["Retry-After"]) >= 1
    assert refused["RateLimit-Policy"] == '"requests";q=1;w=60'
    assert re.fullmatch(r'"requests";r=0;t=\d+', refused["RateLimit"])


def test_every_answer_tells_how_the_limits_stand(alice: Person) -> None:
    set_quota(alice, requests_per_second=50, images_per_day=10)
    submit(alice, 3)

    answer = alice.api().get("/api/jobs/")

    assert answer["RateLimit-Policy"] == '"requests";q=50;w=1, "pictures-day";q=10;w=86400'
    assert re.fullmatch(r'"requests";r=49;t=\d+, "pictures-day";r=7;t=\d+', answer["RateLimit"])


def test_an_error_carries_the_headers_too(alice: Person) -> None:
    answer = alice.api().post("/api/jobs/", {})

    assert answer.status_code == 422
    assert "RateLimit-Policy" in answer


def test_a_used_up_quota_says_when_to_come_back(alice: Person) -> None:
    set_quota(alice, images_per_day=0)

    answer = alice.api().post("/api/jobs/", {"image_url": "https://pictures.example/1.jpg"}, "application/json")

    assert answer.status_code == 429
    assert answer.json()["code"] == "quota_exceeded"
    assert 0 < int(answer["Retry-After"]) <= 86_400


def test_a_dialect_counts_submissions_and_queries_apart(alice: Person) -> None:
    quota = Quota(team=alice.team, dialects={"sample": {"submits_per_second": 2, "queries_per_second": 20}})

    submit_rates = rates_of(quota, dialect="sample", is_submit=True)
    query_rates = rates_of(quota, dialect="sample", is_submit=False)

    assert submit_rates == [Rate("sample-submit", 2)]
    assert query_rates == [Rate("sample-query", 20)]


@pytest.mark.usefixtures("long_seconds")
def test_two_teams_do_not_share_a_rate(alice: Person, charlie: Person) -> None:
    rate = [Rate("requests", 1)]
    request_spend(alice.team, rate)

    assert request_spend(alice.team, rate)[-1].is_over
    assert not request_spend(charlie.team, rate)[-1].is_over


def test_without_redis_requests_pass(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def hit(self, *_: object) -> bool:
            raise RedisConnectionError

    monkeypatch.setattr(rates, "_limiter", Away)

    assert request_spend(alice.team, [Rate("requests", 1)]) == []
