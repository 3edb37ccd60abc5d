"""Attack on watchers (`manage.py watch`, which cuts out each picture that arrives in a folder or bucket).

Watchers are killed at random moments, and no picture may be lost or processed twice. `python -m tests.torture.watching
[KILLS]` starts a real site, and watchers on a folder and on an S3 bucket (a server in this process). Each watcher is
killed with SIGKILL within a few seconds after it has printed that it watches, while new pictures arrive. At the end,
the pictures are compared with the results, and the faults are printed with the random seed.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer
from PIL import Image
from skimage import data

from tests.stack import ROOT, Stack, free_port, running_stack, wait_for

KILLS = 50
ARRIVALS = 2  # new pictures before each start
LONGEST_LIFE_S = 3.0  # seconds of a watcher's life after its first line
RECIPE = "avatar"
BUCKET = "shop"
_START_S = 120.0


@dataclass
class Place(ABC):
    """A watched folder or bucket in which files arrive.

    The method `put` stores a new file in the inbox. The method `files` returns the content of each file of a location,
    by file name.

    inbox: the location in which files arrive. outbox: the location of the results. good: the names of the pictures that
    have arrived. bad: the names of other files that have arrived.
    """

    inbox: str
    outbox: str
    good: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)

    @abstractmethod
    def put(self, name: str, content: bytes) -> None: ...

    @abstractmethod
    def files(self, location: str) -> dict[str, bytes]: ...


class Folder(Place):
    def put(self, name: str, content: bytes) -> None:
        (Path(self.inbox) / name).write_bytes(content)

    def files(self, location: str) -> dict[str, bytes]:
        root = Path(location)
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith(".keyline-watch")
        }


class Bucket(Place):
    def put(self, name: str, content: bytes) -> None:
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"inbox/{name}", Body=content)

    def files(self, location: str) -> dict[str, bytes]:
        client, prefix = boto3.client("s3"), location.removeprefix(f"s3://{BUCKET}/") + "/"
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {
            item["Key"].removeprefix(prefix): client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            for page in pages
            for item in page.get("Contents", ())
        }


def torture(stack: Stack, place: Place, *, kills: int, seed: int) -> list[str]:
    """Start and kill `kills` watchers of one place; return the differences between arrived files and results."""
    chance = random.Random(seed)
    for number in range(kills):
        _arrive(place, number, chance)
        watcher = _start(stack, place)
        threading.Event().wait(chance.uniform(0, LONGEST_LIFE_S))
        watcher.send_signal(signal.SIGKILL)
        watcher.wait()
    last = _start(stack, place, "--once")
    if last.wait(600):
        return [f"the last watcher ended with {last.returncode}"]
    return faults(place)


def faults(place: Place) -> list[str]:
    """Return the differences between the files that arrived at a place and the results."""
    found: list[str] = []
    inbox, outbox = place.files(place.inbox), place.files(place.outbox)

    def expect(what: str, actual: object, wanted: object) -> None:
        if actual != wanted:
            found.append(f"{what}: {actual} instead of {wanted}")

    expect("left in the inbox", sorted(name for name in inbox if "/" not in name), [])
    expect("done", _in(inbox, "done"), place.good)
    expect("failed", {name for name in _in(inbox, "failed") if not name.endswith(".txt")}, place.bad)
    expect("reasons", {name for name in _in(inbox, "failed") if name.endswith(".txt")}, {f"{n}.txt" for n in place.bad})
    results = {name: content for name, content in outbox.items() if not name.startswith("manifest.")}
    expect("results", set(results), {f"{Path(name).stem}-{RECIPE}-1.jpg" for name in place.good})
    broken = [name for name, content in results.items() if not _is_picture(content)]
    expect("torn results", broken, [])
    rows = list(csv.DictReader(io.StringIO(outbox.get("manifest.csv", b"").decode())))
    lines = [json.loads(line) for line in outbox.get("manifest.jsonl", b"").decode().splitlines()]
    for name, entries in (("manifest.csv", rows), ("manifest.jsonl", lines)):
        counts = Counter(str(entry["source"]) for entry in entries)
        expect(f"rows of {name}", counts, Counter(place.good | place.bad))
    return found


def _arrive(place: Place, number: int, chance: random.Random) -> None:
    """Put new files into the place's inbox; about one in ten is not a picture.

    number: a number that makes the file names unique.
    """
    for index in range(ARRIVALS):
        name = f"{number:03d}-{index}.jpg"
        if chance.random() < 0.1:
            place.bad.add(name)
            place.put(name, b"no picture " + name.encode())
            continue
        place.good.add(name)
        shift = chance.randrange(200)
        picture = Image.fromarray(data.astronaut()[shift : shift + 256, :256])
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=60 + index)
        place.put(name, stream.getvalue())


def _start(stack: Stack, place: Place, *more: str) -> subprocess.Popen[str]:
    """Start a watcher, wait until it prints that it watches, and return its process."""
    arguments = [place.inbox, "--out", place.outbox, "--recipe", RECIPE, "--settled", "0", "--at-once", "4", *more]
    process = subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "manage.py"), "watch", *arguments],
        cwd=ROOT,
        env=stack.environment | {name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("watching"):
            # Read all output, so that the pipe is never full.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process
    raise AssertionError("the watcher did not start:\n" + "".join(lines))


def _jobs(stack: Stack) -> int:
    return int(stack.api().get("/api/jobs/", params={"page_size": 1}).json()["count"])


def _in(files: dict[str, bytes], folder: str) -> set[str]:
    return {name.removeprefix(f"{folder}/") for name in files if name.startswith(f"{folder}/")}


def _is_picture(content: bytes) -> bool:
    try:
        Image.open(io.BytesIO(content)).load()
    except (OSError, SyntaxError):
        return False
    return True


def folder_place(folder: Path) -> Folder:
    """Create an empty folder to watch and a folder for its results; return them as a Place."""
    for name in ("inbox", "outbox"):
        (folder / name).mkdir()
    return Folder(str(folder / "inbox"), str(folder / "outbox"))


def bucket_place() -> Bucket:
    """Start an S3 server in this process, create an empty bucket to watch, and return it.

    The environment variables AWS_* are set for the server.
    """
    port = free_port()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ThreadedMotoServer("127.0.0.1", port, verbose=False).start()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return Bucket(f"s3://{BUCKET}/inbox", f"s3://{BUCKET}/out")


def memory_kib(stack: Stack, folder: Path, waiting: int) -> int:
    """Return the peak memory in KiB of a watcher that has listed a folder with `waiting` files."""
    inbox, outbox = folder / f"many-{waiting}", folder / f"many-{waiting}-out"
    for path in (inbox, outbox):
        path.mkdir()
    for number in range(waiting):
        (inbox / f"{number:05d}.jpg").write_bytes(b"")
    # Files that changed a moment ago are listed but not submitted, so all of them are examined.
    place = Folder(str(inbox), str(outbox))
    watcher = _start(stack, place, "--settled", "3600")
    try:
        threading.Event().wait(6)
        status = Path(f"/proc/{watcher.pid}/status").read_text()
    finally:
        watcher.kill()
        watcher.wait()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def main(kills: int, seed: int) -> int:
    """Attack a folder and a bucket at the same time, and return the number of faults."""
    say = sys.stdout.write
    total = 0
    with tempfile.TemporaryDirectory() as name, running_stack(MATTING_WORKERS="1", WEB_PROCESSES="1") as stack:
        wait_for(lambda: _jobs(stack) >= 0, timeout_s=_START_S, what="the site does not respond")
        tortured = folder_place(Path(name)), bucket_place()
        started = time.monotonic()
        with ThreadPoolExecutor() as threads:
            results = list(threads.map(lambda place: torture(stack, place, kills=kills, seed=seed), tortured))
        for place, found in zip(tortured, results, strict=True):
            total += len(found)
            say(f"{place.inbox}: {kills} kills, {len(place.good)} pictures and {len(place.bad)} other files, ")
            say(f"{len(found)} faults (seed {seed})\n" + "".join(f"  {fault}\n" for fault in found))
        jobs, wanted = _jobs(stack), sum(len(place.good) for place in tortured)
        total += jobs != wanted
        say(f"{jobs} jobs for {wanted} pictures, in {time.monotonic() - started:.0f} s\n")
        few, many = (memory_kib(stack, Path(name), waiting) for waiting in (10, 10_000))
        say(f"memory of a watcher: {few // 1024} MiB with 10 files, {many // 1024} MiB with 10,000\n")
    return total


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    sys.exit(min(1, main(count, seed=int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32))))
