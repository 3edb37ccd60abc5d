"""The command `make sizing`: it measures the processes of a site and updates the tables of docs/sizing.md.

It measures memory and processor time. Memory at rest is proportional (PSS): the size of a shared page is divided by the
number of its processes. Peak memory is resident (RSS): it includes all shared pages.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.bench import machine, mixed
from tests.bench.on_site import Site, posted, short_name
from tests.bench.several import QUIET
from tests.stack import ROOT, running_stack

PAGE = ROOT / "docs" / "sizing.md"
MEASURED = ROOT / "docs" / "sizing.json"
SIZES = {"2": mixed.FULL_HD, "12": (4000, 3000), "50": (8660, 5773)}  # by megapixels
ROUNDS = 4
_REST_S = 10.0
# Names of the processes on the page, in the page's order, by the names of `short_name`.
NAMES = {
    "run": "`manage.py run`",
    "web server": "web server's parent",
    "web": "web process",
    "pixels": "pixel process beside a web process, for two minutes after its use (checks: an hour)",
    "tracker": "helper of the pixel processes",
    "work": "`manage.py work`",
    "work pictures": "worker with the built-in model",
    "work downloads": "worker for downloads",
    "work webhooks": "worker for webhooks",
    "work slow-webhooks": "worker for slow webhooks",
    "work mail": "worker for mail",
    "work upkeep": "worker for zips and upkeep",
    "queue": "Valkey",
}
# Words of a command line that distinguish processes with the same `short_name`.
_MARKS = {"valkey": "queue", "spawn_main": "pixels", "resource_tracker": "tracker"}


def measure() -> dict[str, Any]:
    """Start a site with two web processes and one worker with a model; return a dict with the measured values."""
    with running_stack(**QUIET | {"WEB_PROCESSES": "2", "MATTING_WORKERS": "1", "MATTING_DOWNLOADERS": "1"}) as stack:
        site = Site(stack)
        _cut_out(site, mixed.FULL_HD)
        _variant(site)
        time.sleep(_REST_S)  # the processes that start last, and the effects of the first picture
        rest = {name: [machine.own_mb(pid) for pid in pids] for name, pids in _by_name(site).items()}
        work = {megapixels: _work(site, size) for megapixels, size in SIZES.items()}
        return {"machine": machine.describe(), "rest_mb": rest, "work": work}


def _work(site: Site, size: tuple[int, int]) -> dict[str, Any]:
    """Process ROUNDS pictures of this size, one after the other.

    Return, for each kind of process, the peak memory and the mean processor time per picture.
    """
    processes = _by_name(site)
    everyone = [pid for pids in processes.values() for pid in pids]
    for pid in everyone:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is reset here
    before = {pid: machine.cpu_s(pid) for pid in everyone}
    for _ in range(ROUNDS):
        _cut_out(site, size)
    return {
        "peak_mb": {name: max(map(machine.peak_mb, pids)) for name, pids in processes.items()},
        "cpu_s": {
            name: sum(machine.cpu_s(pid) - before[pid] for pid in pids) / ROUNDS for name, pids in processes.items()
        },
    }


def _cut_out(site: Site, size: tuple[int, int]) -> None:
    response = posted(site.api, mixed.picture(size, site.pictures), "png")
    if response.status_code != 200:
        raise RuntimeError(f"status {response.status_code}: {response.text[:200]}")
    site.pictures += 1


def _variant(site: Site) -> None:
    """Render a variant of the newest picture, so that the rendering process starts."""
    job = site.api.get("/api/jobs/?page_size=1").json()["results"][0]["id"]
    site.api.post(
        f"/api/jobs/{job}/variants", json={"threshold": 5}, headers={"Accept": "image/png"}
    ).raise_for_status()


def _by_name(site: Site) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for pid in site.stack.processes():
        command = machine.command_of(pid)
        marked = next((name for word, name in _MARKS.items() if word in command), None)
        found[marked or short_name(pid)].append(pid)
    return dict(found)


def last() -> str:
    """Read the last measurement from its JSON file, and return its tables as Markdown."""
    return rendered(json.loads(MEASURED.read_text(encoding="utf-8"))) if MEASURED.exists() else "Not measured yet."


def rendered(measured: dict[str, Any]) -> str:
    """Return the tables of a measurement as Markdown."""
    about, rest, work = measured["machine"], measured["rest_mb"], measured["work"]
    everything = sum(map(sum, rest.values()))
    lines = [
        f"{about['processor']}, {about['cpus']} processors; commit {about['commit']}, {about['date'][:10]}; two web "
        "processes, one worker with a model. A process that waits costs no processor.",
        "",
        "| process | how many | memory of each at rest |",
        "|---|---|---|",
        *(f"| {NAMES[name]} | {len(rest[name])} | {_range(rest[name])} MB |" for name in NAMES if name in rest),
        f"| all of them | | {everything:.0f} MB |",
        "",
        "| one picture of | largest worker | largest web process | processor time of the worker | of the web server |",
        "|---|---|---|---|---|",
        *(_row(megapixels, figures) for megapixels, figures in work.items()),
    ]
    return "\n".join(lines)


def _row(megapixels: str, figures: dict[str, Any]) -> str:
    peak, cpu_s = figures["peak_mb"], figures["cpu_s"]
    web_s = sum(cpu_s.get(name, 0.0) for name in ("web", "web server", "pixels"))
    return (
        f"| {megapixels} megapixels | {peak['work pictures']:.0f} MB | {peak['web']:.0f} MB "
        f"| {cpu_s['work pictures']:.2f} s | {web_s:.2f} s |"
    )


def _range(values: Iterable[float]) -> str:
    least, most = round(min(values)), round(max(values))
    return f"{least}" if least == most else f"{least} to {most}"


def written(page: str, tables: str) -> str:
    """Return `page`, the text of docs/sizing.md, with `tables` in place of the text between its two marks."""
    return re.sub(
        r"(<!-- measured: make sizing -->\n).*?(\n<!-- end -->)",
        lambda match: f"{match[1]}\n{tables}\n{match[2]}",
        page,
        flags=re.DOTALL,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sizing", description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the figures and write no file")
    only_print = parser.parse_args().print
    measured = measure()
    print(rendered(measured))
    if not only_print:
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rendered(measured)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
