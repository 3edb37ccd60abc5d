"""The command `keyline`. Where possible, its subcommands and options have the same names as those of the program rembg.

`i` processes one file, and `p` processes a folder. `zip` processes a folder as one job and writes one zip file of
results. `wait` waits for an earlier job.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from keyline.client import Keyline
from keyline.model import Job, KeylineError
from keyline.options import SUFFIXES, OptionsInvalid, options_add, options_of

PICTURES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".gif"),
    *(".jxl", ".jp2", ".j2k", ".jpx"),
)
A_JOB = 200  # pictures of one job


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    arguments: the command line without the program's name; None reads sys.argv.

    The status is 0 for success, 1 for an error or a failed picture, 2 for invalid arguments and 130 for Ctrl+C.
    """
    chosen = _parser().parse_args(arguments)
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    if not chosen.url:
        console.print("Name the site: --url or KEYLINE_URL.")
        return 2
    try:
        chosen.options = options_of(chosen, console.print) if "extras" in chosen else {}
        with Keyline(chosen.url, key=chosen.key) as client:
            return int(chosen.run(client, chosen, console))
    except OptionsInvalid as error:
        console.print(str(error), style="red")
        return 2
    except KeylineError as error:
        console.print(f"{error} ({error.code})" if error.code else str(error), style="red")
        return 1
    except OSError as error:
        console.print(f"{error.filename}: {error.strerror}" if error.filename else str(error), style="red")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keyline", description="Remove the background of pictures.")
    parser.add_argument("--url", default=os.environ.get("KEYLINE_URL", ""), help="the site (KEYLINE_URL)")
    parser.add_argument("--key", default=os.environ.get("KEYLINE_KEY", ""), help="the key's secret (KEYLINE_KEY)")
    commands = parser.add_subparsers(required=True, metavar="i|p|zip|wait")
    one = _command(commands, "i", "one picture", _one)
    one.add_argument("input", nargs="?", default="-", help="a file, a URL, or - for standard input")
    one.add_argument("output", nargs="?", default="-", help="a file, or - for standard output")
    folder = _command(commands, "p", "a folder of pictures", _folder)
    folder.add_argument("input", type=Path)
    folder.add_argument("output", type=Path)
    folder.add_argument("-w", "--watch", action="store_true", help="go on with every picture that appears")
    folder.add_argument("-d", "--delete_input", action="store_true", help="delete each picture that has its result")
    archive = _command(commands, "zip", "a folder as one job, its results as one zip", _zip)
    archive.add_argument("input", type=Path)
    archive.add_argument("output", type=Path)
    waiting = commands.add_parser("wait", help="wait for a job that was submitted before; its results as one zip")
    waiting.set_defaults(run=_wait)
    waiting.add_argument("job", help="the id that `zip` printed")
    waiting.add_argument("output", type=Path)
    return parser


def _command(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.set_defaults(run=run)
    options_add(parser)
    return parser


def _one(client: Keyline, chosen: argparse.Namespace, console: Console) -> int:
    source = sys.stdin.buffer.read() if chosen.input == "-" else chosen.input
    picture = client.cut_out(source, **chosen.options)
    if chosen.output == "-":
        sys.stdout.buffer.write(picture.content)
    else:
        picture.save(chosen.output)
    return 0


def _folder(client: Keyline, chosen: argparse.Namespace, console: Console) -> int:
    chosen.output.mkdir(parents=True, exist_ok=True)
    given_up: dict[Path, float] = {}
    _cut_out_all(client, chosen, console, given_up)
    if chosen.watch:
        from watchfiles import watch

        console.print(f"Watching {chosen.input}; Ctrl-C ends it.")
        # It also yields without a change, to include pictures that arrived between the first run and the start of
        # watching.
        for _changes in watch(chosen.input, yield_on_timeout=True, raise_interrupt=True):
            _cut_out_all(client, chosen, console, given_up)
    return 1 if given_up else 0


def _cut_out_all(client: Keyline, chosen: argparse.Namespace, console: Console, given_up: dict[Path, float]) -> None:
    """Cut out the pictures whose result is missing or older than the picture, and print the errors.

    A picture that failed before is skipped until its file changes.

    given_up: a dict from each failed file to its modification time; this function updates the dict.
    """
    stems = _stems_of(_pictures_in(chosen.input))
    left = [
        path
        for path, stem in stems.items()
        if _is_missing(path, _target(stem, chosen)) and given_up.get(path) != path.stat().st_mtime
    ]
    if not left:
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Cutting out", total=len(left))
        for path in left:
            written_at = path.stat().st_mtime
            try:
                picture = client.cut_out(path, **chosen.options)
                picture.save(_target(stems[path], chosen, picture.content_type))
                given_up.pop(path, None)
                if chosen.delete_input:
                    path.unlink()
            except (KeylineError, FileNotFoundError) as error:
                told = str(error)
                console.print(told if path.name in told else f"{path.name}: {told}")
                given_up[path] = written_at
            bar.advance(task)


def _zip(client: Keyline, chosen: argparse.Namespace, console: Console) -> int:
    paths = _pictures_in(chosen.input)
    if not paths or len(paths) > A_JOB:
        console.print(f"A zip is made of 1 to {A_JOB} pictures; {chosen.input} has {len(paths)}.")
        return 2
    job = client.submit(paths, **chosen.options)
    console.print(f"If the connection is lost: keyline wait {job.id} {chosen.output}")
    return _results(client, job, chosen.output, console)


def _wait(client: Keyline, chosen: argparse.Namespace, console: Console) -> int:
    return _results(client, client.job(chosen.job), chosen.output, console)


def _results(client: Keyline, job: Job, output: Path, console: Console) -> int:
    """Wait for a job's end, print the errors of its pictures, and write its results as a zip file.

    Return the exit status: 1 if a picture failed, else 0.
    """
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Cutting out", total=job.images_total)
        job = client.wait(
            job, progress=lambda now: bar.update(task, completed=now.images_succeeded + now.images_failed)
        )
    for image in job.images:
        if image.error:
            console.print(f"{image.name}: {image.error}")
    client.zip(job, output)
    return 1 if job.images_failed else 0


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".")
    )


def _stems_of(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the stem of each picture's result: the stem of the picture, or its whole name if two stems are equal."""
    counts = Counter(path.stem.lower() for path in paths)
    return {path: path.stem if counts[path.stem.lower()] == 1 else path.name for path in paths}


def _target(stem: str, chosen: argparse.Namespace, content_type: str = "") -> Path:
    """Return the path of a picture's result, whose name begins with `stem`.

    With a recipe, the format of the result is known only from its `content_type`. Before it is known, return the path
    of a result that already exists with the expected stem; if no result exists, return a path that ends with `.png`.
    """
    output: Path = chosen.output
    if not chosen.recipe:
        return output / f"{stem}{SUFFIXES[chosen.format or 'png']}"
    stem = f"{stem}-{chosen.recipe.partition('@')[0]}"
    if content_type:
        return output / f"{stem}{SUFFIXES.get(content_type.partition('/')[2], '.psd')}"
    return next(output.glob(f"{glob.escape(stem)}.*"), output / f"{stem}.png")


def _is_missing(source: Path, target: Path) -> bool:
    return not target.exists() or target.stat().st_mtime < source.stat().st_mtime


if __name__ == "__main__":
    raise SystemExit(main())
