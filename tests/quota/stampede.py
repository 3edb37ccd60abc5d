"""A program in which 200 threads submit a picture at the same time, each with its own database connection.

Run it as `python -m tests.quota.stampede` with DATABASE_URL and REDIS_URL set. It prints the results as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter

SUBMISSIONS = 200
QUOTA = 50


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mattingsite.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    json.dump(stampede(), sys.stdout)


def stampede() -> dict[str, object]:
    from jobs.audit.verification import audit_verify
    from jobs.models import AuditEntry, Job, JobImage, Quota, UsageEntry, UsagePeriod
    from jobs.teams.teams import team_create

    team = team_create(name="Studio")
    Quota.objects.create(team=team, images_per_day=QUOTA)
    outcomes: Counter[str] = Counter()
    barrier = threading.Barrier(SUBMISSIONS)
    threads = [threading.Thread(target=_submit, args=(team.pk, barrier, outcomes)) for _ in range(SUBMISSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "outcomes": dict(outcomes),
        "jobs": Job.objects.count(),
        "images": JobImage.objects.count(),
        "ledger": sum(UsageEntry.objects.values_list("pictures", flat=True)),
        "periods": sorted(UsagePeriod.objects.values_list("pictures", flat=True)),
        "submissions_in_audit": AuditEntry.objects.filter(action="job.submitted").count(),
        "problems_in_audit": audit_verify().problems,
    }


def _submit(team_id: object, barrier: threading.Barrier, outcomes: Counter[str]) -> None:
    from django.db import connection

    from jobs.intake.sources import UrlSource
    from jobs.models import Team
    from jobs.teams.actor import Actor
    from jobs.work.submission import Door, job_submit
    from segmentation.errors import MattingError
    from segmentation.options import CutoutOptions

    actor = Actor(team=Team.objects.get(pk=team_id))
    source = UrlSource("https://pictures.example/1.jpg")
    barrier.wait()
    try:
        job_submit(actor=actor, door=Door(dialect="native"), options=CutoutOptions(), sources=[source])
        outcomes["accepted"] += 1
    except MattingError as error:
        outcomes[error.code] += 1
    except Exception as error:
        outcomes[repr(error)] += 1
    finally:
        connection.close()


if __name__ == "__main__":
    main()
