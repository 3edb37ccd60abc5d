"""The manifest of a watched folder: one row for each picture, in CSV and in JSON lines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields

from jobs.watching.places import Place

CSV_NAME, JSON_NAME = "manifest.csv", "manifest.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The outcome of one picture. outputs: file names. duration_s: seconds from the submission to the end."""

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
    """Append each row once, even if the process is killed between writing the row and moving the picture."""

    def __init__(self, place: Place) -> None:
        self._place = place
        for name in (CSV_NAME, JSON_NAME):
            place.cut_torn_line(name)
        self._in_csv = {
            row[0] for row in csv.reader(io.StringIO(place.tail(CSV_NAME).decode("utf-8", "replace"))) if row
        }
        self._in_json = {json.loads(line)["job"] for line in place.tail(JSON_NAME).splitlines() if line.strip()}
        if not self._in_csv:
            place.append(CSV_NAME, _csv_line([field.name for field in fields(Row)]))

    def add(self, row: Row) -> None:
        if row.job not in self._in_csv:
            values = asdict(row) | {"outputs": " ".join(row.outputs)}
            self._place.append(CSV_NAME, _csv_line(["" if value is None else value for value in values.values()]))
            self._in_csv.add(row.job)
        if row.job not in self._in_json:
            self._place.append(JSON_NAME, json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n")
            self._in_json.add(row.job)


def _csv_line(values: list[object]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue().encode()
