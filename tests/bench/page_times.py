"""Measurement of the response times of the site's pages: `python -m tests.bench.page_times JOBS [SEEDED]`.

The program fills the site in MATTING_DATA_DIR, measures the pages, and prints the path of a JSON file. For each page,
the file contains the median time of several visits in milliseconds, and the number of database queries.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any

ROUNDS = 9
# The changes of a copy: ids get other first digits, times are moved back, unique names get a prefix.
_TABLES = ("jobs_job", "jobs_jobimage", "jobs_artifact", "jobs_usageentry")
_IDS = {"id", "job_id", "image_id"}
_MOMENTS = {"created_at", "started_at", "finished_at", "enqueued_at"}
_UNIQUE = {"external_id", "key"}
_STEP_S = 17


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mattingsite.settings")
    import django

    django.setup()
    wanted = int(sys.argv[1])
    seeded = min(wanted, int(sys.argv[2]) if len(sys.argv) > 2 else wanted)
    fill(wanted, seeded)
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump([measured(name, address) for name, address in addresses()], file)
    sys.stdout.write(file.name + "\n")
    return 0


def fill(wanted: int, seeded: int) -> None:
    """Write `seeded` sample jobs, and copy them inside the database until there are `wanted` jobs."""
    import io

    from django.core.management import call_command
    from django.db import connection

    call_command("setup", verbosity=0, stdout=io.StringIO())
    call_command("seed_jobs", jobs=seeded, yes=True, stdout=io.StringIO())
    copies = wanted // seeded - 1
    if connection.vendor == "sqlite" and copies > 0:
        for number in range(1, copies + 1):
            _copy(number)
    elif copies > 0:
        _copy(copies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(number: int) -> None:
    """Copy all sample rows inside the database: once on SQLite, `number` times on PostgreSQL.

    number: on PostgreSQL, the count of copies. On SQLite, a number that makes the copied values unique.
    """
    from django.db import connection

    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for table in _TABLES:
            columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            if table == "jobs_usageentry":
                columns.remove("id")
            values = [_changed(table, name, is_postgres) for name in columns]
            names = ", ".join(f'"{name}"' for name in columns)
            if is_postgres:
                source = f"{table} r, generate_series(1, {number}) n"  # only seeded rows: one statement per table
            else:
                first = "substr(r.job_id, 1, 4)" if table != "jobs_job" else "substr(r.id, 1, 4)"
                source = f"(SELECT {number} n) CROSS JOIN {table} r WHERE {first} <> 'c0de'"
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {source}")


def _changed(table: str, column: str, is_postgres: bool) -> str:
    if column in _IDS:
        if is_postgres:
            return f"('c0de' || lpad(to_hex(n), 4, '0') || substr(replace(r.{column}::text, '-', ''), 9))::uuid"
        return f"'c0de' || printf('%04x', n) || substr(r.{column}, 9)"
    if column in _UNIQUE:
        return f"CASE WHEN r.{column} = '' THEN '' ELSE n || '-' || r.{column} END"
    if column in _MOMENTS:
        if is_postgres:
            return f"r.{column} - n * interval '{_STEP_S} seconds'"
        return f"strftime('%Y-%m-%d %H:%M:%f', r.{column}, '-' || (n * {_STEP_S}) || ' seconds')"
    return f"r.{column}"


def addresses() -> list[tuple[str, str]]:
    from jobs.models import Job

    job = Job.objects.filter(user__isnull=False).order_by("created_at").first()
    assert job is not None
    jobs, day = "/admin/jobs/job/", job.created_at.date()
    return [
        ("gallery", "/gallery/"),
        ("gallery_uncertain", "/gallery/?order=uncertain"),
        ("gallery_page_20", "/gallery/?page=20"),
        ("admin_list", jobs),
        ("admin_list_team", f"{jobs}?team__id__exact={job.team_id}"),
        ("admin_list_failed", f"{jobs}?status__exact=failed"),
        ("admin_list_a_day", f"{jobs}?created_at_from={day}&created_at_to={day}"),
        ("admin_search", f"{jobs}?q={job.id}"),
        ("admin_job", f"{jobs}{job.id}/change/"),
        ("dashboard", "/admin/"),
        ("dashboard_first", "/admin/"),
        ("audit_trail", "/admin/jobs/auditentry/"),
    ]


def measured(name: str, address: str) -> dict[str, Any]:
    """Return the median time of several visits to a page in milliseconds, and the number of its database queries.

    name: the page's name; for `dashboard_first`, each visit computes the figures again. address: the page's URL.
    """
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from jobs.admin.figures import FIGURES_KEY
    from jobs.models import Job, Membership, Team
    from jobs.teams.caller import TEAM_KEY

    admin = User.objects.get(is_superuser=True)
    largest = Team.objects.get(name="Sample team 1")
    assert Job.objects.filter(team=largest).exists()
    Membership.objects.get_or_create(team=largest, user=admin)
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(admin)
    session = client.session
    session[TEAM_KEY] = str(largest.pk)
    session.save()
    took_ms, queries = [], 0
    for _ in range(ROUNDS):
        if name == "dashboard_first":
            cache.delete(FIGURES_KEY)
        started = time.perf_counter()
        response = client.get(address)
        took_ms.append((time.perf_counter() - started) * 1000)
        if response.status_code != 200:
            raise SystemExit(f"{address}: status {response.status_code}")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(address)
    queries = len(captured)
    return {
        "name": name,
        "ms": statistics.median(took_ms),
        "slowest_ms": max(took_ms),
        "queries": queries,
        "slowest": sorted(((float(one["time"]), one["sql"]) for one in captured.captured_queries), reverse=True)[:3],
    }


if __name__ == "__main__":
    sys.exit(main())
