"""The watcher of a folder or a bucket prefix. It submits new pictures, stores their results, then moves the pictures.

The watcher may be killed at any time. It submits each picture with a key made of the picture's place, name, size and
time, the recipe and the options, so a second submission finds the same job. It writes results completely and under
fixed names. It adds each row of the manifest (the list of results) once. It moves the picture last. If the picture was
changed during the job, the picture stays and is submitted as a new picture.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from uuid import UUID

from jobs.errors import NotFound, QueueUnavailable, QuotaExceeded, RateLimited, StorageFailed
from jobs.intake.sources import accept_bytes
from jobs.models import Artifact, Job, JobImage, Status
from jobs.recipes.selectors import NamedRecipe
from jobs.results import storage
from jobs.teams.actor import Actor
from jobs.watching.manifest import Manifest, Row
from jobs.watching.places import DONE, FAILED, Arrival, Place
from jobs.work.selectors import images_of, job_of_file
from jobs.work.submission import Door, job_submit
from segmentation.errors import MattingError
from segmentation.options import CutoutOptions

logger = logging.getLogger(__name__)

_LATER = (QueueUnavailable, QuotaExceeded, RateLimited, StorageFailed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The settings of a watcher: the place to watch, the output place, the team and the options.

    recipe: the recipe that finishes the pictures; None means that the result is a plain cutout.
    settled_s: how many seconds a file must stay unchanged before it is submitted.
    every_s: the seconds between two checks of a place without work.
    at_once: the largest number of pictures in progress.
    """

    source: Place
    output: Place
    actor: Actor
    options: CutoutOptions
    recipe: NamedRecipe | None = None
    settled_s: float = 3.0
    every_s: float = 1.0
    at_once: int = 8


@dataclass(slots=True)
class _Flight:
    arrival: Arrival
    job_id: UUID
    started_s: float = field(default_factory=time.monotonic)


class Watcher:
    """The watcher of one place.

    stopping: an event; set it to stop the watcher after its work in progress.
    done, failed: the numbers of pictures that succeeded and failed.
    """

    def __init__(self, watch: Watch, *, stopping: threading.Event | None = None) -> None:
        self.watch = watch
        self.stopping = stopping or threading.Event()
        self.done = 0
        self.failed = 0
        self._flights: dict[str, _Flight] = {}
        self._manifest = Manifest(watch.output)
        self._next_submission_s = 0.0

    def run(self, *, until_empty: bool = False) -> None:
        """Watch the place until a stop is requested.

        until_empty: if True, also stop when no picture remains.
        """
        while not self.stopping.is_set():
            submitted = self.step()
            if until_empty and not submitted and not self._flights and not self._has_arrivals():
                return
            self.stopping.wait(0.1 if self._flights else self.watch.every_s)

    def step(self) -> int:
        """Store the results of ended jobs, and submit new pictures.

        Return how many pictures were submitted or rejected.
        """
        self._land()
        submitted = 0
        if time.monotonic() < self._next_submission_s:
            return 0
        for arrival in self.watch.source.arrivals():
            if len(self._flights) >= self.watch.at_once or self.stopping.is_set():
                break
            if arrival.name not in self._flights and self._is_settled(arrival):
                submitted += self._submit(arrival)
        return submitted

    def _has_arrivals(self) -> bool:
        return next(self.watch.source.arrivals(), None) is not None

    def _is_settled(self, arrival: Arrival) -> bool:
        """Return whether a file is complete.

        An object in a bucket is always complete. A file in a folder is complete if it has not changed for `settled_s`
        seconds.
        """
        if self.watch.source.is_bucket:
            return True
        return time.time() - arrival.changed_ns / 1e9 >= self.watch.settled_s

    def _submit(self, arrival: Arrival) -> int:
        """Submit one file. Return 1 if the file was submitted or rejected, 0 if it must wait.

        If the site is busy, the file waits. If the file is not a picture, only this file fails.
        """
        key = self._key_of(arrival)
        try:
            job = job_of_file(self.watch.actor, key)
            if job is None:
                data = self.watch.source.read(arrival.name)
                if self.watch.source.look(arrival.name) != arrival:
                    return 0  # the file is still being written
                job = self._new_job(arrival, data, key)
        except FileNotFoundError:
            return 0
        except _LATER as error:
            pause_s = float(getattr(error, "retry_after_s", None) or 10.0)
            logger.warning("%s waits: %s", arrival.name, error.message)
            self._next_submission_s = time.monotonic() + pause_s
            return 0
        except MattingError as error:
            self._reject(arrival, key, error.message)
            return 1
        self._flights[arrival.name] = _Flight(arrival, job.pk)
        return 1

    def _new_job(self, arrival: Arrival, data: bytes, key: str) -> Job:
        return job_submit(
            actor=self.watch.actor,
            door=Door(
                dialect=Job.Dialect.COMMAND, urgency=Job.Urgency.BATCH, idempotency_key=key, request_hash=key[-64:]
            ),
            options=self.watch.options,
            sources=[accept_bytes(data, name=arrival.name)],
            recipes=[] if self.watch.recipe is None else [self.watch.recipe],
        )

    def _key_of(self, arrival: Arrival) -> str:
        recipe = self.watch.recipe
        parts = [
            self.watch.source.location,
            arrival.name,
            str(arrival.bytes),
            str(arrival.changed_ns),
            "" if recipe is None else f"{recipe.name}@{recipe.version}",
            repr(sorted(self.watch.options.to_json().items())),
        ]
        return "watch-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _land(self) -> None:
        """Store the results of the jobs that have ended, and move their pictures."""
        ids = [flight.job_id for flight in self._flights.values()]
        jobs = {job.pk: job for job in Job.objects.filter(pk__in=ids).prefetch_related("images__artifacts")}
        for name, flight in list(self._flights.items()):
            job = jobs.get(flight.job_id)
            if job is not None and not job.is_terminal:
                continue
            try:
                self._finish(flight, job)
            except (StorageFailed, OSError):
                logger.exception("the results of %s could not be written; they are tried again", name)
                continue
            del self._flights[name]

    def _finish(self, flight: _Flight, job: Job | None) -> None:
        if job is None:
            self._reject(flight.arrival, str(flight.job_id), "the job was deleted")
            return
        image = images_of(job)[0]
        if image.status != Status.SUCCEEDED:
            self._reject(flight.arrival, str(job.pk), image.error_message or job.error_message or "cancelled", image)
            return
        try:
            wanted = self._wanted(image)
        except NotFound as error:
            self._reject(flight.arrival, str(job.pk), error.message, image)
            return
        outputs = []
        for artifact in wanted:
            data = storage.read(artifact.key)
            name = self._free_name(self._output_name(artifact, flight.arrival), flight.arrival, data)
            self.watch.output.write(name, data)
            outputs.append(name)
        self._manifest.add(self._row(flight.arrival, str(job.pk), image, status="done", outputs=tuple(outputs)))
        if not self._is_changed(flight.arrival):
            self.watch.source.move(flight.arrival.name, DONE)
        self.done += 1

    def _is_changed(self, arrival: Arrival) -> bool:
        """Return whether the file was overwritten after its submission. A missing file counts as unchanged."""
        found = self.watch.source.look(arrival.name)
        return found is not None and found != arrival

    def _wanted(self, image: JobImage) -> list[Artifact]:
        """Return the result files to store: the files of the recipe, or the cutout if there is no recipe.

        Raise NotFound if the recipe made no file.
        """
        kind = Artifact.Kind.CUTOUT if self.watch.recipe is None else Artifact.Kind.FINISHED
        found = [artifact for artifact in image.artifacts.all() if artifact.kind == kind]
        if not found and self.watch.recipe is not None:
            reasons = [note for note in image.notes if note.startswith(f"recipe {self.watch.recipe.name}")]
            raise NotFound(reasons[0] if reasons else "The recipe gave no file.")
        return found

    def _output_name(self, artifact: Artifact, arrival: Arrival) -> str:
        if artifact.kind == Artifact.Kind.FINISHED:
            return artifact.file_name
        return f"{PurePosixPath(arrival.name).stem}{PurePosixPath(artifact.key).suffix}"

    def _free_name(self, name: str, arrival: Arrival, data: bytes) -> str:
        """Return an output name that does not overwrite the result of another picture.

        Two pictures can have the same name with different extensions. If a file with the same name and content exists,
        it was written for this picture before the process was killed, and its name is used again.
        """
        path, kind = PurePosixPath(name), PurePosixPath(arrival.name).suffix.removeprefix(".")
        candidate, number = name, 1
        while self.watch.output.holds_other(candidate, data):
            again = "" if number == 1 else f"-{number}"
            candidate, number = f"{path.stem}-{kind}{again}{path.suffix}", number + 1
        return candidate

    def _reject(self, arrival: Arrival, job: str, reason: str, image: JobImage | None = None) -> None:
        """Move a picture without a result to the folder `failed`, and write the reason into a text file beside it.

        The manifest also contains the reason. If the picture was changed in the meantime, it is not moved.
        """
        self._manifest.add(self._row(arrival, job, image, status="failed", error=reason))
        if not self._is_changed(arrival):
            name = self.watch.source.name_in(FAILED, arrival.name)
            self.watch.source.write(f"{FAILED}/{name}.txt", reason.encode() + b"\n")
            self.watch.source.move(arrival.name, FAILED)
        self.failed += 1

    def _row(self, arrival: Arrival, job: str, image: JobImage | None, **values: object) -> Row:
        recipe = self.watch.recipe
        ended = None if image is None else image.finished_at
        took = None if image is None or ended is None else (ended - image.job.created_at).total_seconds()
        return Row(
            job=job,
            source=arrival.name,
            uncertainty=None if image is None else image.uncertainty,
            duration_s=None if took is None else round(took, 3),
            model="" if image is None else image.model_version,
            recipe="" if recipe is None else recipe.name,
            recipe_version=None if recipe is None else recipe.version,
            finished_at="" if ended is None else ended.isoformat(),
            **values,  # type: ignore[arg-type]
        )
