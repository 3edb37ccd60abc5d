"""The gallery: all pictures of the team, filtered and paged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
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
# The states that are filtered most come first.
_STATUSES = [
    (status, words.STATUSES[status])
    for status in (Status.SUCCEEDED, Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELED)
]
_SUBJECTS = list(words.SUBJECTS.items())


def _dialects() -> list[tuple[str, str | Promise]]:
    return [_ANY, *((name, gettext(str(label))) for name, label in dialect_choices())]


class GalleryFilter(forms.Form):
    """Parse the gallery's filter; an invalid value is ignored."""

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
    order = forms.ChoiceField(
        label=_("Order"), required=False, choices=[("", _("Newest first")), ("uncertain", _("Review these first"))]
    )
    mine = forms.BooleanField(label=_("Only mine"), required=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one page of pictures and whether there is a next one: a count would read every picture of the team."""

    object_list: list[JobImage]
    number: int
    has_next: bool

    @classmethod
    def of(cls, images: QuerySet[JobImage], number: str) -> Page:
        """Read page `number`, counted from 1; any other text is the first page."""
        wanted = int(number) if number.isdecimal() and len(number) < 7 and int(number) else 1
        first = (wanted - 1) * PAGE_SIZE
        found = list(images[first : first + PAGE_SIZE + 1])
        return cls(found[:PAGE_SIZE], wanted, len(found) > PAGE_SIZE)

    @property
    def next_page_number(self) -> int:
        return self.number + 1


class GalleryView(FragmentPage):
    """Show thumbnails; htmx requests the next page alone, a browser without scripts the whole page."""

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
        return super().get_context_data(
            form=form, page=page, query=query.urlencode(), is_filtered=any(form.cleaned_data.values()), **values
        )
