"""A program whose threads claim, end, cancel, retry and purge the jobs of one team at the same time.

Run it as `python -m tests.quota.turmoil` with DATABASE_URL and REDIS_URL set. It prints the results as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from collections import Counter
from typing import Any

THREADS = 12
DEEDS = 15
RUNNING_LIMIT = 3


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mattingsite.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    json.dump(turmoil(), sys.stdout)


def turmoil() -> dict[str, Any]:
    from jobs.audit.verification import audit_verify
    from jobs.models import JobImage, Quota, UsageEntry, UsagePeriod
    from jobs.teams.teams import team_create

    team = team_create(name="Studio")
    Quota.objects.create(team=team, running_tasks=RUNNING_LIMIT)
    errors: Counter[str] = Counter()
    most_running: list[int] = []
    threads = [threading.Thread(target=_rage, args=(team.pk, seed, errors, most_running)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = sum(UsageEntry.objects.values_list("pictures", flat=True))
    return {
        "errors": dict(errors),
        "is_within_the_running_limit": max(most_running, default=0) <= RUNNING_LIMIT,
        "has_run": bool(most_running),
        "sums_are_the_ledger": set(UsagePeriod.objects.values_list("pictures", flat=True)) <= {ledger},
        "what_waits_runs_or_is_done_is_charged": not JobImage.objects.filter(
            status__in=("queued", "running", "succeeded"), charged_on=None
        ).exists(),
        "no_failure_is_charged": not JobImage.objects.filter(status="failed", charged_on__isnull=False).exists(),
        "problems_in_audit": audit_verify().problems,
    }


def _rage(team_id: object, seed: int, errors: Counter[str], most_running: list[int]) -> None:
    from django.db import connection

    from jobs.models import Job, Team
    from jobs.teams.actor import Actor
    from segmentation.errors import MattingError

    chance = random.Random(seed)
    actor = Actor(team=Team.objects.get(pk=team_id))
    for _ in range(DEEDS):
        try:
            _deed(chance, actor, most_running)
        except (MattingError, Job.DoesNotExist):
            continue  # rejected, or purged by another process: both may happen
        except Exception as error:
            errors[repr(error)] += 1
    connection.close()


def _deed(chance: random.Random, actor: Any, most_running: list[int]) -> None:
    from jobs.intake.sources import UrlSource
    from jobs.models import Job, JobImage
    from jobs.work.attempts import image_claim, image_fail
    from jobs.work.cancel import job_cancel
    from jobs.work.retention import job_purge
    from jobs.work.retry import job_retry
    from jobs.work.submission import Door, job_submit
    from segmentation.errors import InferenceFailed
    from segmentation.options import CutoutOptions

    jobs = list(Job.objects.select_related("team__quota")[:20])
    step = chance.choice(("submit", "submit", "work", "work", "work", "cancel", "retry", "purge"))
    if step == "submit" or not jobs:
        sources = [UrlSource(f"https://pictures.example/{number}.jpg") for number in range(chance.randint(1, 3))]
        job_submit(actor=actor, door=Door(dialect="native"), options=CutoutOptions(), sources=sources)
    elif step == "work":
        queued = list(JobImage.objects.filter(status="queued").values_list("pk", flat=True)[:10])
        image = queued and image_claim(image_id=str(chance.choice(queued)), worker="worker")
        if image:
            most_running.append(JobImage.objects.filter(status="running").count())
            image_fail(image=image, error=InferenceFailed())
    elif step == "cancel":
        job_cancel(actor=actor, job=chance.choice(jobs))
    elif step == "retry":
        job_retry(actor=actor, job=chance.choice(jobs))
    else:
        job_purge(actor=actor, jobs=[chance.choice(jobs)])


if __name__ == "__main__":
    main()
