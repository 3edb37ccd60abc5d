"""`make bench`: measure everything, print one table, write JSON. `python -m tests.bench --help` lists the options.

Each section is measured by itself; one that fails leaves a row that says why, and the others go on.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import machine, on_site, pages, rivals, several, steps
from tests.bench.figures import Figure, Run, Section, markdown, save
from tests.bench.on_site import Site
from tests.stack import ROOT, running_stack

OUTPUT = ROOT / "var" / "bench"
# In this order on one site: memory grows from the first batch on, and 50 megapixels would hide it.
ON_SITE: dict[str, tuple[str, Callable[[Site], list[Figure]]]] = {
    "single": ("One 1080p photo over HTTP", on_site.single),
    "batch": ("A batch", on_site.batch),
    "clients": ("Clients that wait", on_site.clients),
    "interactive": ("A person beside a batch", on_site.interactive),
    "polls": ("Pollers", on_site.pollers),
    "editor": ("The editor", on_site.editor),
    "memory": ("Memory", on_site.growth),
    "large": ("Large photos", on_site.large),
}
OWN_SITES: dict[str, tuple[str, Callable[[], list[Figure]]]] = {
    "small": ("Start and small processes", several.small_and_cold),
    "workers": ("Two workers", several.two_workers),
    "hosts": ("Two hosts", several.two_hosts),
    "sqlite": ("Pages on SQLite", pages.sqlite),
    "postgres": ("Pages on PostgreSQL", pages.postgres),
    "steps": ("Steps of the pipeline", steps.figures),
}
RIVALS: dict[str, tuple[str, Callable[[Path, Path], list[Figure]]]] = {
    "rembg_s": ("rembg's server", rivals.servers),
    "rembg_p": ("rembg's folders", rivals.folders),
}
NAMES = [*ON_SITE, *OWN_SITES, *RIVALS]


def main() -> int:
    options = _options()
    wanted = options.only or NAMES
    described = machine.describe()
    if described["load_before"] > machine.BUSY_LOAD:
        print(f"This machine is busy (load {described['load_before']}): only ratios count.", flush=True)
    sections: list[Section] = []

    def measure(name: str, title: str, work: Callable[[], list[Figure]]) -> None:
        print(f"… {title}", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            figures = work()
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            figures = [Figure(f"{name}.failed", title, None, note=f"{type(error).__name__}: {error}"[:200])]
        command = f"python -m tests.bench --only {name}"
        sections.append(Section(name, title, tuple(figures), command, round(time.monotonic() - started, 1)))
        save(Run(described, tuple(sections)), options.json)  # what is measured stays, whatever happens next

    if chosen := [name for name in ON_SITE if name in wanted]:
        try:
            with running_stack(**several.QUIET) as stack:
                site = Site(stack)
                for name in chosen:
                    title, of_site = ON_SITE[name]
                    measure(name, title, lambda work=of_site: work(site))
        except Exception:
            traceback.print_exc()
    for name, (title, alone) in OWN_SITES.items():
        if name in wanted:
            measure(name, title, alone)
    for name, (title, against) in RIVALS.items():
        if name in wanted:
            measure(name, title, lambda work=against: _against(work, options.onnx, options.rembg))

    print(markdown(sections))
    print(
        f"\n{described['processor']}, {described['cpus']} processors, commit {described['commit']}, {described['date']}"
    )
    print(f"Written to {options.json}")
    return int(any(figure.value is None for section in sections for figure in section.figures))


def _against(work: Callable[[Path, Path], list[Figure]], onnx: Path | None, rembg: Path | None) -> list[Figure]:
    if onnx is None or rembg is None:
        raise RuntimeError("name an ONNX file and rembg's command: make bench ONNX=FILE REMBG=PATH")
    return work(onnx, rembg)


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this section; may be repeated")
    parser.add_argument(
        "--onnx", type=Path, help="ONNX file that rembg and Keyline both run, with its manifest beside it"
    )
    parser.add_argument("--rembg", type=Path, help="rembg's command, installed from tests/bench/requirements.txt")
    parser.add_argument("--json", type=Path, default=OUTPUT / "latest.json", help="default: %(default)s")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
