"""`manage.py seed_jobs` fills an empty site with generated jobs, to measure the site and to try the admin."""

from __future__ import annotations

import datetime as dt
import heapq
import io
import random
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import chain, islice
from operator import attrgetter
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from jobs.models import ApiKey, Artifact, Job, JobImage, Membership, Status, Team, UsageEntry
from jobs.models.dialects import OwnDialect, dialect_names
from jobs.results import storage

_BATCH = 2000
_ENDS = {Status.SUCCEEDED: 93, Status.FAILED: 5, Status.CANCELED: 2}
_ERRORS = {"image_unreadable": 4, "download_failed": 3, "worker_lost": 1, "timeout": 1, "inference_failed": 1}
_WORDS = ("lamp", "chair", "portrait", "shoe", "cup", "jacket", "bicycle", "plant", "bottle", "watch", "bag", "cat")
_SIDE_PX = 320


class Command(BaseCommand):
    help = "Write generated jobs with pictures, files, charges and users. For empty sites only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--jobs", type=int, default=1000, help="number of jobs (default: %(default)s)")
        parser.add_argument("--teams", type=int, default=12)
        parser.add_argument("--days", type=int, default=30, help="age of the oldest (default: %(default)s)")
        parser.add_argument("--files", type=int, default=60, help="how many of the newest jobs get files")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same jobs")
        parser.add_argument("--yes", action="store_true", help="write them although there are jobs already")

    def handle(self, *args: Any, **options: Any) -> None:
        if Job.objects.exists() and not options["yes"]:
            raise CommandError("There are jobs already. With --yes, generated ones are added to them.")
        chance = random.Random(options["seed"])  # noqa: S311  generated data, no secret
        teams = _teams(chance, options["teams"])
        jobs = _jobs(chance, teams, options["jobs"], options["days"])
        written = 0
        newest: list[Job] = []  # only of the generated jobs: the files of real ones are never replaced
        while batch := list(islice(jobs, _BATCH)):
            _write(chance, batch)
            written += len(batch)
            succeeded = (job for job in batch if job.status == Status.SUCCEEDED)
            newest = heapq.nlargest(options["files"], chain(newest, succeeded), key=attrgetter("created_at"))
            self.stdout.write(f"{written} jobs", ending="\r")
        for job in newest:
            _draw_files(chance, job)
        self.stdout.write(f"{written} jobs of {len(teams)} teams.")


def _teams(chance: random.Random, count: int) -> list[tuple[Team, list[User], ApiKey]]:
    found = []
    for number in range(1, count + 1):
        team, _ = Team.objects.get_or_create(name=f"Sample team {number}")
        users = [User.objects.get_or_create(username=f"sample-{number}-{person}")[0] for person in range(1, 5)]
        for user in users:
            Membership.objects.get_or_create(team=team, user=user)
        token = uuid.UUID(int=chance.getrandbits(128)).hex
        key, _ = ApiKey.objects.get_or_create(
            team=team,
            name="Sample key",
            defaults={"public_id": token[:24], "secret_hash": token * 2, "scopes": ["read"]},
        )
        found.append((team, users, key))
    return found


def _jobs(chance: random.Random, teams: list[tuple[Team, list[User], ApiKey]], count: int, days: int) -> Iterator[Job]:
    now = timezone.now()
    for _ in range(count):
        # Squaring favours recent days and the first teams, so that teams have different sizes.
        team, users, key = teams[int(len(teams) * chance.random() ** 2)]
        door = chance.choice(dialect_names())
        created = now - dt.timedelta(seconds=days * 86_400 * chance.random() ** 1.3)
        status = chance.choices(list(_ENDS), list(_ENDS.values()))[0]
        code = chance.choices(list(_ERRORS), list(_ERRORS.values()))[0] if status == Status.FAILED else ""
        started = created + dt.timedelta(milliseconds=chance.expovariate(1 / 300))
        job_id = uuid.UUID(int=chance.getrandbits(128), version=4)
        yield Job(
            id=job_id,
            team=team,
            user=chance.choice(users) if door == "web" else None,
            api_key=None if door == "web" else key,
            dialect=door,
            status=status,
            external_id="" if door in OwnDialect.values else str(job_id.int % 10**15),
            options={"method": "auto"},
            request_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            client_address=f"203.0.113.{chance.randint(1, 254)}",
            images_total=1,
            images_succeeded=int(status == Status.SUCCEEDED),
            images_failed=int(status == Status.FAILED),
            error_code=code,
            error_message="Generated." if code else "",
            created_at=created,
            started_at=None if status == Status.CANCELED else started,
            finished_at=started + dt.timedelta(milliseconds=200 + chance.expovariate(1 / 400)),
            expires_at=now + dt.timedelta(days=days),
        )


def _write(chance: random.Random, jobs: list[Job]) -> None:
    images = [_image(chance, job) for job in jobs]
    with transaction.atomic():
        Job.objects.bulk_create(jobs)
        JobImage.objects.bulk_create(images)
        Artifact.objects.bulk_create(artifact for image in images for artifact in _artifacts(chance, image))
        UsageEntry.objects.bulk_create(_charge(job) for job in jobs if job.status == Status.SUCCEEDED)


def _image(chance: random.Random, job: Job) -> JobImage:
    model_ms = chance.lognormvariate(4.2, 0.35)
    timings = {
        "queue": (job.started_at - job.created_at).total_seconds() * 1000 if job.started_at else 0.0,
        "fetch": chance.expovariate(1 / 4),
        "decode": chance.uniform(6, 20),
        "model": model_ms,
        "post": chance.uniform(8, 30),
        "encode": chance.uniform(15, 60),
    }
    timings["total"] = sum(timings.values()) - timings["queue"] + 3
    return JobImage(
        id=uuid.UUID(int=chance.getrandbits(128), version=4),
        job=job,
        name=f"{chance.choice(_WORDS)}-{chance.randint(1, 999)}.jpg",
        status=job.status,
        error_code=job.error_code,
        error_message=job.error_message,
        attempt=1,
        enqueued_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        charged_on=timezone.localdate(job.created_at) if job.status == Status.SUCCEEDED else None,
        width=_SIDE_PX * 6,
        height=_SIDE_PX * 6,
        subject=chance.choice(("person", "object")),
        uncertainty=round(chance.betavariate(1.2, 8), 4) if job.images_succeeded else None,
        timings_ms={stage: round(value, 2) for stage, value in timings.items()} if job.images_succeeded else {},
        model_version="keyline-small 0123456789ab" if job.images_succeeded else "",
        claimed_by=f"gpu-{chance.randint(1, 3)}-4711",
    )


def _artifacts(chance: random.Random, image: JobImage) -> Iterator[Artifact]:
    kinds = [("source", "image/jpeg", "jpg", 900_000)]
    if image.status == Status.SUCCEEDED:
        kinds += [("cutout", "image/png", "png", 1_400_000), ("thumbnail", "image/webp", "webp", 9_000)]
    for kind, content_type, extension, size in kinds:
        yield Artifact(
            job=image.job,
            image=image,
            kind=kind,
            key=f"teams/{image.job.team_id}/{image.job.id}/0000/1-{kind}.{extension}",
            content_type=content_type,
            bytes=int(size * chance.uniform(0.5, 1.5)),
            sha256="0" * 64,
            width=image.width,
            height=image.height,
        )


def _charge(job: Job) -> UsageEntry:
    return UsageEntry(
        team=job.team,
        day=timezone.localdate(job.created_at),
        kind=UsageEntry.Kind.CHARGE,
        pictures=1,
        dialect=job.dialect,
        job_id=job.id,
        reason="submitted",
        created_at=job.created_at,
    )


def _draw_files(chance: random.Random, job: Job) -> None:
    """Draw a vase in front of a wall, and store the picture and a cutout of the vase as the files of a job."""
    wall = tuple(chance.randint(150, 240) for _ in range(3))
    glaze = tuple(chance.randint(30, 200) for _ in range(3))
    belly, neck = chance.randint(60, 110), chance.randint(20, 45)
    middle = _SIDE_PX // 2
    for artifact in job.artifacts.all():
        is_source = artifact.kind == Artifact.Kind.SOURCE
        picture = Image.new("RGBA", (_SIDE_PX, _SIDE_PX), (*wall, 255) if is_source else (0, 0, 0, 0))
        pen = ImageDraw.Draw(picture)
        if is_source:
            table = tuple(int(level * 0.7) for level in wall)
            pen.rectangle((0, _SIDE_PX - 60, _SIDE_PX, _SIDE_PX), fill=(*table, 255))
        pen.ellipse((middle - belly, 120, middle + belly, 290), fill=(*glaze, 255))
        pen.rectangle((middle - neck, 50, middle + neck, 160), fill=(*glaze, 255))
        pen.ellipse(
            (middle - neck - 12, 40, middle + neck + 12, 66), fill=tuple(min(255, level + 40) for level in glaze)
        )
        buffer = io.BytesIO()
        format_name = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}[artifact.content_type]
        (picture.convert("RGB") if format_name == "JPEG" else picture).save(buffer, format_name)
        stored = storage.store(artifact.key, buffer.getvalue())
        Artifact.objects.filter(pk=artifact.pk).update(bytes=stored.bytes, sha256=stored.sha256)
