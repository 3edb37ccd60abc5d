"""Return how many CPUs and GPUs this process may use. The settings import this module, so it imports little."""

from __future__ import annotations

import math
import os
from itertools import takewhile
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = _CGROUP) -> int:
    """Return the number of CPUs that this process may use: its CPU affinity and the container's quota; at least 1.

    In a container limited to two CPUs of a host with 64, Python itself would still report 64.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def visible_gpus(devices: Path = Path("/dev")) -> list[str]:
    """Return the numbers of the NVIDIA GPUs that this process may use, in the format of CUDA_VISIBLE_DEVICES."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        # As in CUDA, the first negative number ends the list; `-1` alone hides all GPUs.
        numbers_or_ids = (part.strip() for part in chosen.split(","))
        return list(takewhile(lambda part: part and not part.startswith("-"), numbers_or_ids))
    numbers = (path.name.removeprefix("nvidia") for path in devices.glob("nvidia[0-9]*"))
    return sorted(filter(str.isdecimal, numbers), key=int)


def default_workers(*, may_use_gpus: bool) -> int:
    """Return the number of model workers that suits this machine.

    One per GPU, because a second one would only share the GPU and need the memory of a second model. Without a GPU a
    quarter of the CPUs, and at least two if there are two CPUs: one worker does the work without a model while the
    other runs its model.
    """
    gpus = len(visible_gpus()) if may_use_gpus else 0
    return gpus or max(min(2, available_cpus()), available_cpus() // 4)


def _quota(cgroup: Path) -> float | None:
    """Return the CPU limit of cgroup v2 or v1; None without one."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if quota in ("max", "-1"):
        return None
    try:
        return int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
