"""The conditions of a measurement: the machine, its load, the commit and the date."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from segmentation.cpus import available_cpus
from tests.stack import ROOT

_PACKAGES = ("openvino", "onnxruntime", "torch", "opencv-python-headless", "numpy", "Django")
BUSY_LOAD = 0.5  # share of one processor that is busy before the first measurement


def describe() -> dict[str, Any]:
    """Return the conditions of a measurement, as a dict: the machine, the date, the commit and package versions."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD") + ("+" if _git("status", "--porcelain") else ""),
        "processor": _processor(),
        "cpus": available_cpus(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def rss_mb(pid: int) -> float:
    """Return the resident memory (RSS) of a process in MB, including memory that it shares with other processes."""
    return _status_kb(pid, "VmRSS") / 1024


def own_mb(pid: int) -> float:
    """Return the proportional memory (PSS) of a process in MB.

    A shared page counts as its size divided by the number of processes that use it.
    """
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def peak_mb(pid: int) -> float:
    """Return the highest resident memory of a process so far, in MB."""
    return _status_kb(pid, "VmHWM") / 1024


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used so far, in seconds; 0 if the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def _status_kb(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
