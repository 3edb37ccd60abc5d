"""Stage 9, rendering for operators: small formats that the admin's templates need."""

from __future__ import annotations

import json

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.models import AuditEntry

register = template.Library()


@register.filter
def signed(number: int) -> str:
    """Write a number with its sign, with a real minus."""
    return f"{number:+d}".replace("-", "−")


@register.filter
def css_number(value: float) -> str:
    """Write a number as CSS and SVG want it, whatever the reader's language writes."""
    return f"{value:.2f}"


@register.filter
def change_text(entry: AuditEntry) -> SafeString | str:
    """Write what an entry changed: before → after, or the one that there is."""
    before, after = _short(entry.before), _short(entry.after)
    if before and after:
        return format_html('{} <span class="kl-arrow">→</span> {}', before, after)
    return before or after


def _short(values: object) -> str:
    if not values:
        return ""
    if isinstance(values, dict):
        return ", ".join(f"{name}: {_word(value)}" for name, value in values.items())
    return _word(values)


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
