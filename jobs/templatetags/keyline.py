"""Stage 9 in the browser: small words and links that several templates need."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs import selectors, sentences, storage
from jobs.models import Artifact, JobImage

register = template.Library()

_STATUS_WORDS: dict[str, Promise] = {
    "queued": _("Waiting"),
    "running": _("Working"),
    "succeeded": _("Done"),
    "failed": _("Failed"),
    "canceled": _("Cancelled"),
}


@register.simple_tag
def status_word(status: str) -> str:
    """Give a job's or picture's status in the reader's language."""
    return str(_STATUS_WORDS.get(status, status))


register.simple_tag(sentences.explained)


@register.filter
def artifact_link(image: JobImage, kind: str) -> str:
    """Give a link to a picture's newest file of one kind; empty when there is none."""
    artifact = selectors.artifact_of(image, kind)
    return storage.link_to(artifact) if artifact else ""


@register.filter
def thumbnail_link(image: JobImage) -> str:
    return artifact_link(image, Artifact.Kind.THUMBNAIL)
