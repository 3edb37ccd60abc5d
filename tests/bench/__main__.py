"""The benchmark `make bench`: it runs all measurements, prints a table and writes JSON.

`python -m tests.bench --help` lists the options. Each section is measured separately. If a section fails, its row in
the table shows the reason, and the other sections continue.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench import bench_finish, in_page, machine, on_site, pages, rivals, several, steps
from tests.bench.figures import Figure, Run, Section, markdown, save
from tests.bench.on_site import Site
from tests.bench.sizes import QUICK, Sizes
from tests.stack import ROOT, running_stack

OUTPUT = ROOT / "var" / "bench"
# In this order on one site, because memory grows from the first batch on, and 50 megapixels would hide that.
ON_SITE: dict[str, tuple[str, Callable[[Site], list[Figure]]]] = {
    "single": ("One 1080p photo over HTTP", on_site.single),
    "batch": ("A batch", on_site.batch),
    "clients": ("Clients that wait", on_site.clients),
    "interactive": ("A person beside a batch", on_site.interactive),
    "polls": ("Pollers", on_site.pollers),
    "editor": ("The editor", on_site.editor),
    "page": ("In the page", in_page.visible),
    "memory": ("Memory", on_site.growth),
    "large": ("Large photos", on_site.large),
}
OWN_SITES: dict[str, tuple[str, Callable[[Sizes], list[Figure]]]] = {
    "small": ("Start and small processes", several.small_and_cold),
    "workers": ("Two workers", several.two_workers),
    "hosts": ("Two hosts", several.two_hosts),
    "steps": ("Steps of the pipeline", steps.figures),
    "finish": ("Finished pictures", bench_finish.figures),
    "sqlite": ("Pages on SQLite", pages.sqlite),
    "postgres": ("Pages on PostgreSQL", pages.postgres),
}
RIVALS: dict[str, tuple[str, Callable[[Path, Path, Sizes], list[Figure]]]] = {
    "rembg_s": ("rembg's server", rivals.servers),
    "rembg_p": ("rembg's folders", rivals.folders),
}
_LAST = ("sqlite", "postgres")  # filling them takes longest
NAMES = [*ON_SITE, *OWN_SITES, *RIVALS]


def main() -> int:
    options = _options()
    wanted = options.only or NAMES
    sizes = QUICK if options.quick else Sizes()
    described = machine.describe() | {"quick": options.quick}
    if described["load_before"] > machine.BUSY_LOAD:
        print(f"This machine is busy (load {described['load_before']}): only ratios count.", flush=True)
    began = time.monotonic()
    sections: list[Section] = []

    def measure(name: str, title: str, work: Callable[[], list[Figure]]) -> None:
        print(f"… {title}", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            if started - began > options.minutes * 60:
                raise TimeoutError(f"the {options.minutes:g} minutes were over")
            figures = work()
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:160]
            figures = [Figure(f"{name}.failed", title, None, note=reason)]
        command = f"python -m tests.bench --only {name}"
        sections.append(Section(name, title, tuple(figures), command, round(time.monotonic() - started, 1)))
        save(Run(described, tuple(sections)), options.json)  # finished measurements are stored at once

    def on_one_site() -> None:
        with running_stack(**several.QUIET) as stack:
            site = Site(stack, sizes)
            for name, (title, work) in ON_SITE.items():
                if name in wanted:
                    measure(name, title, partial(work, site))

    if set(wanted) & set(ON_SITE):
        try:
            on_one_site()
        except (Exception, SystemExit):
            traceback.print_exc()
        done = {section.name for section in sections}
        for name in [name for name in ON_SITE if name in wanted and name not in done]:
            measure(name, ON_SITE[name][0], _no_site)
    for name, (title, own) in OWN_SITES.items():
        if name in wanted and name not in _LAST:
            measure(name, title, partial(own, sizes))
    for name, (title, against) in RIVALS.items():
        if name in wanted:
            measure(name, title, partial(_against, against, options.onnx, options.rembg, sizes))
    for name in _LAST:
        if name in wanted:
            title, own = OWN_SITES[name]
            measure(name, title, partial(own, sizes))

    print(markdown(sections))
    print(f"\n{described['processor']}, {described['cpus']} processors")
    print(f"commit {described['commit']}, {described['date']}, {(time.monotonic() - began) / 60:.1f} minutes")
    print(f"Written to {options.json}")
    return int(any(figure.value is None for section in sections for figure in section.figures))


def _no_site() -> list[Figure]:
    raise RuntimeError("the site did not start, or ended")


def _against(
    work: Callable[[Path, Path, Sizes], list[Figure]], onnx: Path | None, rembg: Path | None, sizes: Sizes
) -> list[Figure]:
    if onnx is None or rembg is None:
        raise RuntimeError("name an ONNX file and rembg's command: make bench ONNX=FILE REMBG=PATH")
    return work(onnx, rembg, sizes)


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this section; may be repeated")
    parser.add_argument("--quick", action="store_true", help="measure little, only to see that everything works")
    parser.add_argument("--minutes", type=float, default=24.0, help="begin no section after so many (%(default)s)")
    parser.add_argument(
        "--onnx", type=Path, help="ONNX file that rembg and Keyline both run, with its manifest beside it"
    )
    parser.add_argument("--rembg", type=Path, help="rembg's command, installed from tests/bench/requirements.txt")
    parser.add_argument("--json", type=Path, default=OUTPUT / "latest.json", help="default: %(default)s")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
