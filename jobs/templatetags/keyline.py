"""Template tags and filters of the pages: translated names, ranges of sliders, and links to files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from jobs import sentences
from jobs.models import Artifact, JobImage, Scope
from jobs.results import storage
from jobs.results.selectors import artifact_of
from jobs.versions.selectors import thumbnail_of
from jobs.web import words
from segmentation.options import RANGES, CutoutOptions

register = template.Library()


@register.simple_tag
def status_word(status: str) -> str:
    """Return the translated name of a job's or picture's status."""
    return str(words.STATUSES.get(status, status))


@register.simple_tag
def option_range(name: str, value: float | None = None) -> SafeString:
    """Return the HTML attributes `min`, `max` and `value` of a slider for the option `name` of CutoutOptions.

    value: the value of the slider; None means the option's default.
    """
    span, default = RANGES[name], getattr(CutoutOptions(), name)
    return format_html('min="{}" max="{}" value="{}"', span.low, span.high, default if value is None else value)


@register.filter
def subject_word(subject: str) -> str:
    """Return the translated name of a kind of subject, such as a person."""
    return str(words.SUBJECTS.get(subject, subject))


@register.filter
def reason_word(reason: str) -> str:
    """Return the translated reason why the site used a particular model for a picture."""
    return str(words.REASONS.get(reason, reason))


@register.filter
def stage_word(stage: str) -> str:
    """Return the translated name of a processing stage."""
    return str(words.STAGES.get(stage, stage))


@register.filter
def scope_words(scopes: Iterable[str]) -> str:
    """Return the translated names of an API key's scopes, joined to one text."""
    return _listed(scopes, dict(Scope.choices))


@register.filter
def event_words(events: Iterable[str]) -> str:
    """Return the translated names of a webhook's events, joined to one text."""
    return _listed(events, words.EVENTS)


@register.filter
def event_word(event: str) -> str:
    """Return the translated name of one event of a webhook."""
    return _listed([event], words.EVENTS)


register.filter(words.sentence_said)
register.simple_tag(sentences.explained)


@register.filter
def artifact_link(image: JobImage, kind: str) -> str:
    """Return a signed link to a picture's newest file of the kind `kind`; an empty string if there is no such file."""
    artifact = artifact_of(image, kind)
    return storage.link_to(artifact) if artifact else ""


@register.filter
def thumbnail_link(image: JobImage) -> str:
    """Return a signed link to the thumbnail of the picture's shown version; an empty string if there is none."""
    thumbnail = thumbnail_of(image, image.shown_version)
    return storage.link_to(thumbnail) if thumbnail else ""


@register.filter
def has_cutout(image: JobImage) -> bool:
    """Return whether the picture was processed successfully and a subject was found."""
    return image.status == JobImage.Status.SUCCEEDED and image.foreground is not None


@register.filter
def has_original(image: JobImage) -> bool:
    """Return whether the uploaded picture is still stored, so that the page can show a small copy of it."""
    return artifact_of(image, Artifact.Kind.SOURCE) is not None


def _listed(values: Iterable[str], names: Mapping[str, str | Promise]) -> str:
    return gettext(", ").join(str(names.get(value, value)) for value in values)
