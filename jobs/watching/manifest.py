"""The manifest of a watched folder: a list with one row for each processed picture, in CSV and in JSON lines.

In a bucket, the whole object is rewritten for each new row. Therefore the manifest in a bucket is split into numbered
parts of a limited size: `manifest.csv`, `manifest-2.csv` and so on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import PurePosixPath

from jobs.watching.places import Place

CSV_NAME, JSON_NAME = "manifest.csv", "manifest.jsonl"
PART_BYTES = 2**16  # a part of a bucket's manifest that has reached this size is not rewritten again


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The result of one picture, as one row of the manifest.

    status: `done` or `failed`.
    outputs: the names of the result files.
    uncertainty: a value of 0..1; None means that there is no result.
    duration_s: the seconds from the submission to the end.
    error: the reason for a failure.
    """

    job: str
    source: str
    status: str
    outputs: tuple[str, ...] = ()
    uncertainty: float | None = None
    duration_s: float | None = None
    model: str = ""
    recipe: str = ""
    recipe_version: int | None = None
    error: str = ""
    finished_at: str = ""


class Manifest:
    """The manifest files in the output folder `place`.

    A row is written only once, even if the process is killed after writing the row and before moving the picture.
    """

    def __init__(self, place: Place) -> None:
        header = _csv_line([field.name for field in fields(Row)])
        self._csv = _Lines(place, CSV_NAME, job_of=lambda line: line.partition(b",")[0].decode(), header=header)
        self._json = _Lines(place, JSON_NAME, job_of=lambda line: str(json.loads(line)["job"]))

    def add(self, row: Row) -> None:
        values = asdict(row) | {"outputs": " ".join(row.outputs)}
        self._csv.add(row.job, _csv_line(["" if value is None else value for value in values.values()]))
        self._json.add(row.job, json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n")


class _Lines:
    """One file of the manifest, with the ids of the jobs in its newest lines."""

    def __init__(self, place: Place, name: str, *, job_of: Callable[[bytes], str], header: bytes = b"") -> None:
        self._place, self._name, self._header = place, name, header
        place.cut_torn_line(name)
        self._part = self._last_part() if place.is_bucket else 1
        newest = place.tail(self._name_of(self._part))
        self._bytes = len(newest)
        before = place.tail(self._name_of(self._part - 1)) if self._part > 1 else b""
        self._jobs = {job_of(line) for line in (before + newest).splitlines() if line.strip()}

    def add(self, job: str, line: bytes) -> None:
        if job in self._jobs:
            return
        if self._place.is_bucket and self._bytes >= PART_BYTES:
            self._part, self._bytes = self._part + 1, 0
        data = line if self._bytes else self._header + line
        self._place.append(self._name_of(self._part), data)
        self._bytes += len(data)
        self._jobs.add(job)

    def _last_part(self) -> int:
        """Return the number of the last part of the manifest.

        To make few requests, the search uses steps that first double and then halve.
        """
        last, step = 1, 1
        while self._exists(last + step):
            last, step = last + step, step * 2
        while step > 1:
            step //= 2
            if self._exists(last + step):
                last += step
        return last

    def _exists(self, part: int) -> bool:
        return self._place.look(self._name_of(part)) is not None

    def _name_of(self, part: int) -> str:
        path = PurePosixPath(self._name)
        return self._name if part == 1 else f"{path.stem}-{part}{path.suffix}"


def _csv_line(values: list[object]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue().encode()
