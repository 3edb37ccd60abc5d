"""The command that attacks a real site and records the results.

python -m tests.torture [--kind broker,worker] [--kills 50] [--short]

Each kind of attack writes its measured values (figures) into docs/guarantees.json. The page docs/guarantees.md is
generated from this file. The exit status is 1 if a figure misses its target.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

from tests.stack import ROOT
from tests.torture import kinds
from tests.torture.figures import Figure, guarantees, result_of, results_merge

_RESULTS = ROOT / "docs" / "guarantees.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="", help=f"some of {', '.join(kinds.KINDS)}; by default all")
    parser.add_argument("--kills", type=int, default=50, help="kills of each kind")
    parser.add_argument("--short", action="store_true", help="less of everything, to see whether it works")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="where the figures go; the page lies beside it")
    options = parser.parse_args()
    names = [name for name in options.kind.split(",") if name] or list(kinds.KINDS)
    unknown = set(names) - set(kinds.KINDS)
    if unknown:
        parser.error(f"unknown kind {', '.join(sorted(unknown))}; the kinds are {', '.join(kinds.KINDS)}")
    count = min(3, options.kills) if options.short else options.kills
    extent = kinds.Extent(kills=count, short=options.short)
    missed = 0
    started = time.monotonic()
    with kinds.Sites() as sites:
        for name in names:
            kind = kinds.KINDS[name]
            begun = time.monotonic()
            print(f"\n=== {name}: {kind.title}", flush=True)
            try:
                figures = kind.run(sites, extent)
            except Exception as error:  # the other kinds still run, on a new site
                traceback.print_exc()
                details = {"error": f"{type(error).__name__}: {error}"[:500]}
                figures = [Figure(f"{kind.title}: runs that ended with an error", 1, "", 0, details=details)]
                sites.forget()
            command = (
                f"make torture KIND={name}" if not options.short else f"python -m tests.torture --short --kind {name}"
            )
            took_s = time.monotonic() - begun
            results_merge(options.out, name, result_of(figures, title=kind.title, command=command, seconds=took_s))
            for figure in figures:
                missed += not figure.is_kept
                mark = "  " if figure.is_kept else "✗ "
                details = f"   {json.dumps(figure.details)}" if figure.details else ""
                print(f"{mark}{figure.promise:70} {figure.text:>12}  {figure.bound}{details}", flush=True)
            print(f"   {took_s:.0f} s", flush=True)
            page = guarantees(json.loads(options.out.read_text()), kinds.KINDS)
            options.out.with_suffix(".md").write_text(page)
    print(f"\n{missed} figures miss their target; {time.monotonic() - started:.0f} s", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
