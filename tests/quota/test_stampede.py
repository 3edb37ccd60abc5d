"""Tests of simultaneous requests, on both databases.

If the quota is 50, exactly 50 of 200 simultaneous submissions are accepted. Simultaneous actions on the same jobs leave
correct counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.quota.stampede import QUOTA, SUBMISSIONS
from tests.stack import ROOT

pytestmark = pytest.mark.slow


def outcome_of(database_url: str, folder: Path, program: str = "stampede") -> dict[str, Any]:
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": settings.REDIS_URL,
        "MATTING_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        "MATTING_REPEAT_WINDOW_S": "0",  # all threads send the same picture intentionally
    }
    command = [sys.executable, "-m", f"tests.quota.{program}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


EXACTLY_THE_QUOTA = {
    "outcomes": {"accepted": QUOTA, "quota_exceeded": SUBMISSIONS - QUOTA},
    "jobs": QUOTA,
    "images": QUOTA,
    "ledger": QUOTA,
    "periods": [QUOTA, QUOTA],
    "submissions_in_audit": QUOTA,
    "problems_in_audit": [],
}


def test_200_submissions_at_once_against_a_quota_of_50_are_50_on_sqlite(tmp_path: Path) -> None:
    assert outcome_of(f"sqlite:///{tmp_path / 'stampede.sqlite3'}", tmp_path) == EXACTLY_THE_QUOTA


def test_200_submissions_at_once_against_a_quota_of_50_are_50_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    assert outcome_of(postgres_url, tmp_path) == EXACTLY_THE_QUOTA


NOTHING_WENT_WRONG = {
    "errors": {},
    "is_within_the_running_limit": True,
    "has_run": True,
    "sums_are_the_ledger": True,
    "what_waits_runs_or_is_done_is_charged": True,
    "no_failure_is_charged": True,
    "problems_in_audit": [],
}


def test_actions_at_once_on_the_same_jobs_neither_block_each_other_nor_miscount_on_sqlite(tmp_path: Path) -> None:
    assert outcome_of(f"sqlite:///{tmp_path / 'turmoil.sqlite3'}", tmp_path, "turmoil") == NOTHING_WENT_WRONG


def test_actions_at_once_on_the_same_jobs_neither_block_each_other_nor_miscount_on_postgresql(
    tmp_path: Path, postgres_url: str
) -> None:
    assert outcome_of(postgres_url, tmp_path, "turmoil") == NOTHING_WENT_WRONG
