"""The gallery page, which shows all pictures of the team, with filters and pagination."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.models import JobImage, Status
from jobs.models.dialects import dialect_choices
from jobs.web import words
from jobs.web.session import FragmentPage
from jobs.work.selectors import images_filtered

PAGE_SIZE = 48
_ANY = ("", _("Any"))
# The most used states come first.
_STATUSES = [
    (status, words.STATUSES[status])
    for status in (Status.SUCCEEDED, Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELED)
]
ORDERS = [
    ("", _("Newest first")),
    ("oldest", _("Oldest first")),
    ("name", _("By name")),
    ("uncertain", _("Uncertain first")),
]
_FIRST = ("q", "status", "order")
_BY_DAY = ("", "oldest")  # the orders in which pictures of one day are adjacent
_SUBJECTS = list(words.SUBJECTS.items())


def _dialects() -> list[tuple[str, str | Promise]]:
    return [_ANY, *((name, gettext(str(label))) for name, label in dialect_choices())]


@dataclass(frozen=True, slots=True)
class Row:
    """A picture in the gallery.

    day: the day of the picture if the gallery shows a heading for this day above the picture; otherwise None.
    """

    image: JobImage
    day: dt.date | None = None

    @property
    def day_text(self) -> str:
        return "" if self.day is None else words.day_said(self.day)


class GalleryFilter(forms.Form):
    """Form with the filters of the gallery. Invalid values have no effect."""

    q = forms.CharField(label=_("Name"), required=False, max_length=100, widget=forms.TextInput({"type": "search"}))
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[_ANY, *_STATUSES])
    subject = forms.ChoiceField(label=_("Type"), required=False, choices=[_ANY, *_SUBJECTS])
    dialect = forms.ChoiceField(label=_("Source"), required=False, choices=_dialects)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}))
    uncertainty_from = forms.FloatField(
        label=_("Uncertainty from"),
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput({"step": "0.05"}),
    )
    order = forms.ChoiceField(label=_("Order"), required=False, choices=ORDERS)
    mine = forms.BooleanField(label=_("Only mine"), required=False)

    def first_fields(self) -> list[forms.BoundField]:
        """Return the fields that are always visible."""
        return [self[name] for name in _FIRST]

    def more_fields(self) -> list[forms.BoundField]:
        """Return the fields that are visible only after the user opens the additional filters."""
        return [field for field in self if field.name not in _FIRST]

    def uses_more(self) -> bool:
        """Return whether one of the additional filters has a value."""
        return any(self.cleaned_data.get(field.name) for field in self.more_fields())


@dataclass(frozen=True, slots=True)
class Page:
    """One page of pictures in the gallery.

    The pictures are not counted, because the database would have to read all of them.

    number: the number of the page, from 1.
    has_next: whether a next page exists.
    before: the last picture of the previous page; None on the first page.
    """

    object_list: list[JobImage]
    number: int
    has_next: bool
    before: JobImage | None

    @classmethod
    def of(cls, images: QuerySet[JobImage], number: str) -> Page:
        """Return the page `number` of the pictures.

        number: text with the page number, from 1. Invalid text selects the first page.
        """
        wanted = int(number) if number.isdecimal() and len(number) < 7 and int(number) else 1
        first = (wanted - 1) * PAGE_SIZE
        found = list(images[max(0, first - 1) : first + PAGE_SIZE + 1])
        before = found.pop(0) if first and found else None
        return cls(found[:PAGE_SIZE], wanted, len(found) > PAGE_SIZE, before)

    @property
    def next_page_number(self) -> int:
        return self.number + 1


class GalleryView(FragmentPage):
    """Page that shows thumbnails of the team's pictures.

    A request from htmx gets only the HTML of the thumbnails on the requested page. Other requests get the whole HTML
    page.
    """

    template_name = "gallery.html"
    fragment_name = "components/thumbs_page.html"
    section = "gallery"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        form = GalleryFilter(self.request.GET)
        form.is_valid()
        images = images_filtered(self.actor, form.cleaned_data)
        page = Page.of(images, self.request.GET.get("page", ""))
        query = self.request.GET.copy()
        query.pop("page", None)
        is_by_day = form.cleaned_data.get("order", "") in _BY_DAY
        return super().get_context_data(
            form=form,
            page=page,
            rows=rows_of(page) if is_by_day else [Row(image) for image in page.object_list],
            query=query.urlencode(),
            is_filtered=any(form.cleaned_data.values()),
            **values,
        )


def rows_of(page: Page) -> list[Row]:
    """Return the rows of a page. The row of the first picture of each day contains the day.

    If the first picture has the same day as the last picture of the previous page, its row contains no day.
    """
    last = day_of(page.before) if page.before else None
    rows = []
    for image in page.object_list:
        day = day_of(image)
        rows.append(Row(image, None if day == last else day))
        last = day
    return rows


def day_of(image: JobImage) -> dt.date:
    return timezone.localtime(image.job.created_at).date()
