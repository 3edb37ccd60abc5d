"""Template filters of the admin: format numbers and audit entries, and translate names."""

from __future__ import annotations

import json

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from jobs.models import AuditEntry, Tier
from jobs.models.dialects import dialect_choices

register = template.Library()

# Queues, and the roles of processes, which partly have the same names.
_QUEUES: dict[str, Promise] = {
    "interactive": _("Interactive"),
    "default": _("Default"),
    "batch": _("Batch"),
    "interactive-downloads": _("Downloads, interactive"),
    "default-downloads": _("Downloads, default"),
    "batch-downloads": _("Downloads, batch"),
    "webhooks": _("Webhooks"),
    "slow-webhooks": _("Slow webhooks"),
    "mail": _("Mail"),
    "upkeep": _("Upkeep"),
    "pictures": _("Pictures"),
    "downloads": _("Downloads"),
}
_CHARGES: dict[str, Promise] = {
    "submitted": _("Submitted"),
    "retried": _("Retried"),
    "canceled": _("Cancelled"),
}


@register.filter
def signed(number: int) -> str:
    """Return a number as text with its sign. A negative number has the typographic minus sign U+2212."""
    return f"{number:+d}".replace("-", "−")


@register.filter
def css_number(value: float) -> str:
    """Return a number in the format that CSS and SVG need. The format does not depend on the current language."""
    return f"{value:.2f}"


@register.filter
def queue_word(name: str) -> str:
    """Return the translated name of a queue or of the role of a process; an unknown name is returned unchanged."""
    return str(_QUEUES.get(name, name))


@register.filter
def charge_word(reason: str) -> str:
    """Return the translated reason of a charge or refund. If the reason is an error code, return it unchanged."""
    return str(_CHARGES.get(reason, reason))


@register.filter
def dialect_word(name: str) -> str:
    """Return the translated name of an API dialect (an emulated vendor API), of another API, or of the pages.

    If the name is unknown, return it unchanged.
    """
    return str(dict(dialect_choices()).get(name, name))


@register.filter
def tier_word(tier: str) -> str:
    """Return the translated name of a tier (the quality of a model). If the name is unknown, return it unchanged."""
    return str(dict(Tier.choices).get(tier, tier))


@register.filter
def change_text(entry: AuditEntry) -> SafeString | str:
    """Return the changes of an audit entry as HTML, with one line for each changed value.

    A line contains the name of the value, and the value before and after the change. If the entry has only one of the
    two values, the line contains only this one.
    """
    before, after = entry.before or {}, entry.after or {}
    names = [*before, *(name for name in after if name not in before)]
    return format_html_join(mark_safe("<br>"), "{}", ((_line(name, before, after),) for name in names))


def _line(name: str, before: dict[str, object], after: dict[str, object]) -> SafeString:
    if name in before and name in after:
        arrow = mark_safe('<span class="kl-arrow">→</span>')
        return format_html("{}: {} {} {}", name, _word(before[name]), arrow, _word(after[name]))
    return format_html("{}: {}", name, _word(before.get(name, after.get(name))))


def _word(value: object) -> str:
    """Return a value as readable text. The entries of a list are joined with commas. An empty value becomes a dash."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, list):
        return ", ".join(_word(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
