"""Test that a worker that uses too much memory is replaced between two pictures, and no picture is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import photos
from tests.stack import Stack, running_stack, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_worker_above_its_limit_is_replaced_after_each_picture(tmp_path: Path) -> None:
    photo = photos.encode(photos.astronaut()[:128, 120:248], "PNG")
    with running_stack(tmp_path, MATTING_WORKER_MAX_MB="1") as stack:
        pids = [worker(stack)]
        for _ in range(2):
            body = stack.api().post("/api/jobs/?wait=60", files={"image": ("photo.png", photo)}).json()
            assert body["status"] == "succeeded", body
            wait_for(lambda: worker(stack) not in (0, pids[-1]), timeout_s=120, what="the worker was not replaced")
            pids.append(worker(stack))

    assert len(set(pids)) == 3


def worker(stack: Stack) -> int:
    """Return the process id of the worker; 0 if no worker runs, or if a new worker is replacing the old one."""
    found = stack.processes("--child", "pictures")
    return found[0] if len(found) == 1 else 0
