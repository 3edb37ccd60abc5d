"""Send the results of many pictures as one zip.

The zip is created while it is sent, so that it needs no disk space and little memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from uuid import UUID

from zipstream import ZipStream

from jobs.models import Artifact, Job, JobImage, Status
from jobs.results import storage
from jobs.results.downloads import download_note
from jobs.teams.actor import Actor
from jobs.versions.selectors import files_shown
from webserver.answers import PieceResponse

_PIECE_BYTES = 2**18


def zip_name(job: Job) -> str:
    """Return the file name of a job's zip, which contains the time of the submission."""
    return f"keyline-{job.created_at:%Y%m%d-%H%M%S}.zip"


def zip_response(actor: Actor, images: Iterable[JobImage], name: str) -> PieceResponse:
    """Return a response with a zip of the result files of the finished pictures.

    Pictures keep their folders in the zip. Names are unique. If a file is deleted during the download, the response
    ends early. If the files belong to other users' jobs, record in the audit trail that the actor opened them.

    name: the file name of the zip.
    """
    bundle = ZipStream(sized=True)  # compression would not make pictures smaller; without it the length is known
    taken: set[str] = set()
    opened: dict[UUID, Artifact] = {}
    for image in images:
        for artifact in files_shown(image):
            if image.status == Status.SUCCEEDED:
                free = _free_name(artifact.kind, artifact.key, image, taken)
                bundle.add(_pieces(artifact.key), free, size=artifact.bytes)
                opened.setdefault(artifact.job_id, artifact)
    for artifact in opened.values():
        download_note(actor=actor, artifact=artifact)
    headers = {"Content-Length": str(len(bundle)), "Content-Disposition": f'attachment; filename="{name}"'}
    return PieceResponse(_gathered(bundle), content_type="application/zip", headers=headers)


def _pieces(key: str) -> Iterator[bytes]:
    """Yield the bytes of a stored file in pieces. Open the file only when the first piece is read."""
    with storage.open_file(key) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _gathered(bundle: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces, such as file headers, into larger ones, because each piece is one write to the network."""
    waiting = bytearray()
    for piece in bundle:
        waiting += piece
        if len(waiting) >= _PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _free_name(kind: str, key: str, image: JobImage, taken: set[str]) -> str:
    path = PurePosixPath(image.name or str(image.id))
    stem = path.stem
    suffix = "" if kind in (Artifact.Kind.CUTOUT, Artifact.Kind.VARIANT) else f"_{kind}"
    extension = PurePosixPath(key).suffix
    if kind == Artifact.Kind.FINISHED:
        stem, suffix = PurePosixPath(key).stem, ""
    name, number = str(path.with_name(f"{stem}{suffix}{extension}")), 2
    while name in taken:
        name, number = str(path.with_name(f"{stem}{suffix} ({number}){extension}")), number + 1
    taken.add(name)
    return name
