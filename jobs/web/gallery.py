"""Stage 9 in the browser: all pictures of the team, filtered, page after page."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

from jobs.models import Job, Status
from jobs.web import words
from jobs.web.session import FragmentPage
from jobs.work.selectors import images_filtered

PAGE_SIZE = 48
_ANY = ("", _("Any"))
# What is looked for most comes first.
_STATUSES = [
    (status, words.STATUSES[status])
    for status in (Status.SUCCEEDED, Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELED)
]
_SUBJECTS = list(words.SUBJECTS.items())


class GalleryFilter(forms.Form):
    """Hold what the gallery is narrowed to; anything unreadable narrows nothing."""

    q = forms.CharField(label=_("Name"), required=False, max_length=100, widget=forms.TextInput({"type": "search"}))
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[_ANY, *_STATUSES])
    subject = forms.ChoiceField(label=_("Type"), required=False, choices=[_ANY, *_SUBJECTS])
    dialect = forms.ChoiceField(label=_("Source"), required=False, choices=[_ANY, *Job.Dialect.choices])
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}))
    mine = forms.BooleanField(label=_("Only mine"), required=False)


class GalleryView(FragmentPage):
    """Show thumbnails; htmx asks for the next page alone, a browser without it for the whole."""

    template_name = "gallery.html"
    fragment_name = "components/thumbs_page.html"
    section = "gallery"

    def get_context_data(self, **values: object) -> dict[str, object]:
        form = GalleryFilter(self.request.GET)
        form.is_valid()
        images = images_filtered(self.actor, form.cleaned_data)
        page = Paginator(images, PAGE_SIZE).get_page(self.request.GET.get("page"))
        query = self.request.GET.copy()
        query.pop("page", None)
        return super().get_context_data(
            form=form, page=page, query=query.urlencode(), is_filtered=any(form.cleaned_data.values()), **values
        )
