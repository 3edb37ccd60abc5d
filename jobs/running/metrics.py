"""The state of the site as Prometheus metrics. The values are collected for each request for metrics.

Each web process counts its own HTTP requests (`jobs.telemetry.requests`); this module adds up the counts of all web
processes on a host. Workers store their counters in the broker (`jobs.telemetry.counters`). Other values are read here
from the database and the broker.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client import REGISTRY as THIS_PROCESS
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from jobs.models import Artifact, Job, JobImage, QueuedMail, Status, WebhookDelivery
from jobs.running import readiness
from jobs.telemetry import counters
from jobs.telemetry.merging import counters_locked, ended_processes_merge
from jobs.work import queue


def exposition() -> bytes:
    """Return all metrics in the text format of Prometheus."""
    site = CollectorRegistry()
    site.register(SiteCollector())
    return _of_requests() + generate_latest(site)


def metrics_tidy() -> None:
    """Merge the request counters of web processes that have ended.

    Each web process calls this function when it starts.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and Path(folder).is_dir():
        with counters_locked(Path(folder)):
            ended_processes_merge(Path(folder))


def _of_requests() -> bytes:
    """Return the request counters of this host's web processes in the Prometheus format.

    The counters of processes that have ended are included.
    """
    registry = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        registry.register(_ThisProcess())
        return generate_latest(registry)
    with counters_locked(Path(folder)):
        ended_processes_merge(Path(folder))
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class _ThisProcess(Collector):
    def collect(self) -> Iterable[Metric]:
        return (metric for metric in THIS_PROCESS.collect() if metric.name.startswith("keyline_"))


class SiteCollector(Collector):
    """Prometheus collector for the state of the database, the broker and the storage.

    If one of them cannot be read, its metrics are left out.
    """

    def collect(self) -> Iterator[Metric]:
        database, broker = readiness.database_problem(), readiness.queue_problem()
        up = GaugeMetricFamily("keyline_up", "1 if the component works, else 0.", labels=["component"])
        for component, problem in (
            ("database", database),
            ("broker", broker),
            ("storage", readiness.storage_problem()),
        ):
            up.add_metric([component], 0.0 if problem else 1.0)
        yield up
        if database is None:
            try:
                yield from _of_database()
            except DatabaseError:
                return
        if broker is None:
            try:
                yield from _of_broker()
            except (RedisError, OSError):
                return


def _of_database() -> Iterator[Metric]:
    yield _counts("keyline_jobs", "Jobs by state.", "state", Job.objects, "status")
    yield _counts("keyline_pictures", "Pictures by state.", "state", JobImage.objects, "status")
    yield _counts(
        "keyline_webhook_deliveries", "Webhook messages by state.", "state", WebhookDelivery.objects, "status"
    )
    yield _gauge("keyline_mail_waiting", "Messages in the mail outbox.", QueuedMail.objects.count())
    stored = Artifact.objects.aggregate(total=Sum("bytes"))["total"] or 0
    yield _gauge("keyline_stored_bytes", "Bytes of all stored files.", stored)
    age = GaugeMetricFamily("keyline_queue_oldest_seconds", "Age of the oldest waiting picture.", labels=["urgency"])
    waiting = JobImage.objects.filter(status=Status.QUEUED, is_held=False).values_list("job__urgency")
    oldest = dict(waiting.annotate(oldest=Min("enqueued_at")).values_list("job__urgency", "oldest"))
    for urgency in queue.PICTURE_QUEUES:
        since = oldest.get(urgency)
        age.add_metric([urgency], 0.0 if since is None else (timezone.now() - since).total_seconds())
    yield age


def _of_broker() -> Iterator[Metric]:
    depth = GaugeMetricFamily("keyline_queue_messages", "Waiting messages.", labels=["queue"])
    for name, messages in queue.depths().items():
        depth.add_metric([name], messages)
    yield depth
    workers = GaugeMetricFamily("keyline_workers", "Live worker processes.", labels=["role", "model", "device", "host"])
    found = Counter(
        tuple(str(worker.get(label, "")) for label in ("role", "model", "device", "host"))
        for worker in queue.live_workers()
    )
    for labels, number in sorted(found.items()):
        workers.add_metric(list(labels), number)
    yield workers
    yield from _shared_counters()


def _shared_counters() -> Iterator[Metric]:
    families: dict[str, CounterMetricFamily] = {}
    stages: dict[str, dict[str, float]] = {}
    sums: dict[str, float] = {}
    for name, labels, value in counters.totals():
        if name == "keyline_stage_seconds_bucket":
            stages.setdefault(labels["stage"], {})[labels["le"]] = value
        elif name == "keyline_stage_seconds_sum":
            sums[labels["stage"]] = value
        else:
            family = families.setdefault(
                name, CounterMetricFamily(name.removesuffix("_total"), "Counted by all workers.", labels=sorted(labels))
            )
            family.add_metric([labels[label] for label in sorted(labels)], value)
    yield from families.values()
    histogram = HistogramMetricFamily("keyline_stage_seconds", "Time of each stage of a picture.", labels=["stage"])
    for stage, by_bound in sorted(stages.items()):
        histogram.add_metric([stage], buckets=_cumulative(by_bound), sum_value=sums.get(stage, 0.0))
    yield histogram


def _cumulative(by_bound: dict[str, float]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for bound in (*map(str, counters.BUCKETS_S), "+Inf"):
        total += by_bound.get(bound, 0.0)
        buckets.append((bound, total))
    return buckets


def _counts(name: str, text: str, label: str, objects: Any, field: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in objects.order_by().values_list(field).annotate(number=Count("pk")):
        family.add_metric([value], number)
    return family


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
