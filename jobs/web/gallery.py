"""The gallery: all pictures of the team, with filters and pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.models import Status
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
    """Parse the gallery's filters; invalid values are ignored."""

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


class GalleryView(FragmentPage):
    """Show thumbnails. htmx requests receive only the next page of them, other requests the whole HTML page."""

    template_name = "gallery.html"
    fragment_name = "components/thumbs_page.html"
    section = "gallery"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        form = GalleryFilter(self.request.GET)
        form.is_valid()
        images = images_filtered(self.actor, form.cleaned_data)
        page = Paginator(images, PAGE_SIZE).get_page(self.request.GET.get("page"))
        query = self.request.GET.copy()
        query.pop("page", None)
        return super().get_context_data(
            form=form, page=page, query=query.urlencode(), is_filtered=any(form.cleaned_data.values()), **values
        )
