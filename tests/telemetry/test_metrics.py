"""Tests of /metrics: values about requests, queues, pictures, workers and components, and who may read them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from redis.exceptions import RedisError

from jobs.models import Job, JobImage
from jobs.running import readiness
from jobs.telemetry import counters, transitions
from jobs.telemetry.merging import counters_locked, ended_processes_merge
from jobs.work import queue
from jobs.work.faults import component_of
from tests import photos
from tests.cast import Person
from tests.stack import ROOT


@pytest.fixture
def scrape(settings: Settings) -> Client:
    settings.MATTING_METRICS_TOKEN = "scraper's token"
    return Client(headers={"authorization": "Bearer scraper's token"})


def samples(client: Client, name: str) -> dict[str, float]:
    """Return the values of one metric in /metrics, by their labels in the format `a=1,b=2`."""
    response = client.get("/metrics")
    assert response.status_code == 200
    families = list(text_string_to_metric_families(response.content.decode()))
    return {
        ",".join(f"{label}={value}" for label, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


def test_without_a_setting_there_are_no_metrics(db: None) -> None:
    assert Client().get("/metrics").status_code == 404


def test_a_wrong_token_is_refused_and_a_listed_network_needs_none(db: None, scrape: Client, settings: Settings) -> None:
    assert Client(headers={"authorization": "Bearer other"}).get("/metrics").status_code == 401

    settings.MATTING_METRICS_NETWORKS = ["10.0.0.0/8"]

    assert Client(REMOTE_ADDR="10.1.2.3").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="203.0.113.5").get("/metrics").status_code == 401


def test_requests_are_counted_by_api_route_and_code(alice: Person, scrape: Client) -> None:
    label = "api=native,code=404,method=GET,route=/api/jobs/<uuid:job_id>/"
    before = samples(scrape, "keyline_http_requests_total").get(label, 0)

    alice.api().get("/api/jobs/00000000-0000-4000-8000-000000000000/")

    assert samples(scrape, "keyline_http_requests_total").get(label, 0) == before + 1
    assert not any("00000000" in labels for labels in samples(scrape, "keyline_http_requests_total"))


def test_the_state_of_queue_pictures_workers_and_components_is_shown(alice: Person, scrape: Client) -> None:
    queue.beat("gpu-1-7", {"role": "pictures", "model": "keyline-small", "device": "cuda", "host": "gpu-1"})
    job = Job.objects.create(team=alice.team, dialect=Job.Dialect.NATIVE, options={}, images_total=1)
    image = JobImage.objects.create(job=job)
    queue.enqueue_images([image.pk], urgency="interactive")

    assert samples(scrape, "keyline_pictures")["state=queued"] == 1
    assert samples(scrape, "keyline_queue_messages")["queue=interactive"] == 1
    assert samples(scrape, "keyline_queue_oldest_seconds")[f"urgency={job.urgency}"] >= 0
    assert samples(scrape, "keyline_workers") == {"device=cuda,host=gpu-1,model=keyline-small,role=pictures": 1}
    assert samples(scrape, "keyline_up") == {f"component={name}": 1 for name in ("database", "broker", "storage")}


def test_a_component_that_is_away_is_shown_and_the_others_still_are(
    db: None, scrape: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "queue_problem", lambda: "The queue does not answer.")

    assert samples(scrape, "keyline_up")["component=broker"] == 0
    assert samples(scrape, "keyline_queue_messages") == {}
    assert "" in samples(scrape, "keyline_stored_bytes")


@pytest.mark.django_db(transaction=True)
def test_workers_stages_and_transitions_are_summed_over_processes(alice: Person, scrape: Client) -> None:
    transitions.stages_done({"model": 80.0, "encode": 20.0})
    transitions.stages_done({"model": 3000.0})
    transitions.lease_lost()
    job = Job.objects.create(team=alice.team, dialect=Job.Dialect.NATIVE, options={}, images_total=1)
    job.start()
    job.finish("failed", code="timeout")

    buckets = samples(scrape, "keyline_stage_seconds_bucket")
    assert (buckets["le=0.1,stage=model"], buckets["le=+Inf,stage=model"]) == (1, 2)
    assert samples(scrape, "keyline_stage_seconds_sum")["stage=model"] == pytest.approx(3.08)
    assert samples(scrape, "keyline_lost_leases_total") == {"": 1}
    moved = samples(scrape, "keyline_transitions_total")
    assert (moved["kind=job,state=running"], moved["kind=job,state=failed"]) == (1, 1)


COUNTING = "from prometheus_client import Counter; Counter('keyline_trial', 'Trial.', ['code']).labels('200').inc(5)"


def test_the_counters_of_ended_processes_are_added_up_in_one_file(tmp_path: Path) -> None:
    for _ in range(3):
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        subprocess.run([sys.executable, "-c", COUNTING], env=environment, check=True)
    assert len(list(tmp_path.glob("counter_*.db"))) == 3

    with counters_locked(tmp_path):
        assert ended_processes_merge(tmp_path) == 3
        assert ended_processes_merge(tmp_path) == 0

    assert [path.name for path in tmp_path.glob("*.db")] == ["counter_0.db"]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))
    assert registry.get_sample_value("keyline_trial_total", {"code": "200"}) == 15


def test_the_counters_of_a_running_process_stay(tmp_path: Path) -> None:
    (tmp_path / f"counter_{os.getpid()}.db").write_bytes(b"")

    with counters_locked(tmp_path):
        assert ended_processes_merge(tmp_path) == 0


def test_a_refusal_by_a_limit_is_counted(alice: Person, scrape: Client, settings: Settings) -> None:
    settings.MATTING_QUOTA = settings.MATTING_QUOTA | {"images_per_day": 0}
    before = samples(scrape, "keyline_refusals_total").get("api=native,error=quota_exceeded", 0)
    photo = SimpleUploadedFile("photo.jpg", photos.encoded("JPEG", quality=50), "image/jpeg")

    response = alice.api().post("/api/jobs/", {"image": photo})

    assert response.status_code == 429
    assert samples(scrape, "keyline_refusals_total")["api=native,error=quota_exceeded"] == before + 1


def test_a_request_that_a_component_failed_is_counted(
    alice: Person, scrape: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = samples(scrape, "keyline_component_errors_total")
    monkeypatch.setattr(queue, "is_reachable", lambda: False)
    photo = SimpleUploadedFile("photo.jpg", photos.encoded("JPEG", quality=50), "image/jpeg")

    response = alice.api().post("/api/jobs/", {"image": photo})

    assert response.status_code == 503
    after = samples(scrape, "keyline_component_errors_total")
    assert after["component=broker"] == before.get("component=broker", 0) + 1


@pytest.mark.parametrize(
    ("error", "component"),
    [(OperationalError("gone"), "database"), (RedisError("gone"), "broker"), (MemoryError(), "machine")],
)
def test_the_component_of_a_workers_fault_is_known(error: Exception, component: str) -> None:
    assert component_of(error) == component


def test_counting_never_fails_while_the_broker_is_away(settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/broker.sock"

    counters.count("keyline_lost_leases_total")


def test_every_metric_is_documented(alice: Person, scrape: Client) -> None:
    transitions.lease_lost()
    alice.api().get("/api/account")
    text = scrape.get("/metrics").content.decode()
    names = set(re.findall(r"^# TYPE (keyline_\w+)", text, flags=re.MULTILINE))
    page = (ROOT / "docs" / "metrics.md").read_text()

    assert {name for name in names if f"`{name}`" not in page} == set()
