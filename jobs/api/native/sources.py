"""Native API: check the pictures of a request and convert them to sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from jobs.api.links import source_of_url
from jobs.errors import DownloadFailed, NotFound, UrlForbidden, UrlTooLong
from jobs.intake import archives
from jobs.intake.selectors import upload_get
from jobs.intake.sources import (
    CheckedSource,
    Source,
    accept_base64,
    accept_or_refuse,
    accept_stored,
    accept_upload,
    check_count,
    clean_name,
)
from jobs.teams.actor import Actor
from segmentation.errors import ImageError, InvalidParameter, MattingError
from segmentation.image import Limits

_FAILS_ALONE = (ImageError, UrlForbidden, UrlTooLong, DownloadFailed, NotFound)
_FIELDS = ("image", "image_base64", "image_url", "upload")


def sources_in(actor: Actor, values: dict[str, Any], limits: Limits) -> list[Source]:
    """Check and count the pictures of a request, and return their sources.

    If a request has several pictures and one picture is invalid, its source is a RefusedSource, which becomes a failed
    picture of the job. If the only picture is invalid, raise its error.

    values: the validated fields of the request.
    limits: the limits that each picture must keep.
    """
    sent = [(name, value) for name in _FIELDS for value in values.get(name, ())]
    check_count(len(sent))
    own = values.get("settings", {})
    unknown = next(iter(own.keys() - {str(upload) for upload in values.get("upload", ())}), None)
    if unknown is not None:
        raise InvalidParameter(
            f"settings: {unknown} is not the id of an upload of this request", field=f"settings.{unknown}"
        )
    sources: list[Source] = []
    if "zip" in values:
        within = archives.archive_limits()
        sources += archives.sources_in(
            values["zip"].file, limits=limits, archive_limits=within, field="zip", keeps_folders=True
        )
    is_alone = len(sent) + len(sources) == 1
    for number, (field, value) in enumerate(sent, start=1):
        name = _name_of(field, value, number)
        accept = partial(_accept, actor, field, value, None if is_alone else limits)
        if is_alone:
            sources.append(_named(accept, name, field))
        else:
            sources.append(accept_or_refuse(accept, name=name, refusing=_FAILS_ALONE))
    check_count(len(sources))
    for number, (field, value) in enumerate(sent, start=len(sources) - len(sent)):
        source = sources[number]
        if field == "upload" and isinstance(source, CheckedSource):
            sources[number] = replace(source, settings=own.get(str(value), {}))
    return sources


def _accept(actor: Actor, field: str, value: Any, limits: Limits | None) -> Source:
    match field:
        case "image":
            return accept_upload(value, limits=limits)
        case "image_base64":
            return accept_base64(value, limits=limits)
        case "image_url":
            return source_of_url(value, limits=limits)
    upload = upload_get(actor, value)
    return accept_stored(upload.key, name=upload.name, limits=limits)


def accept_named(file: UploadedFile | None, *, field: str) -> CheckedSource:
    """Check the uploaded file of the field `field` and return it as a source; errors contain the file's name."""
    try:
        return accept_upload(file)
    except ImageError as error:
        _name_error(error, clean_name(file.name or "") if file else "", field)
        raise


def _named(accept: Callable[[], Source], name: str, field: str) -> Source:
    """Call `accept` and return its source.

    If `accept` raises an ImageError, add the picture's name and field to the error.
    """
    try:
        return accept()
    except ImageError as error:
        _name_error(error, name, field)
        raise


def _name_error(error: MattingError, name: str, field: str) -> None:
    if name and name not in error.message:
        error.message = f"{name}: {error.message}"
    error.field = field


def _name_of(field: str, value: Any, number: int) -> str:
    """Return the name of a picture for error messages.

    The name is the file name, the URL without its query, or the field with a number.
    """
    match field:
        case "image":
            return clean_name(value.name or f"image {number}")
        case "image_url":
            return clean_name(str(value).partition("?")[0])
    return f"{field} {number}"
