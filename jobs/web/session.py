"""Stage 1 in the browser: who acts, and for which of their teams."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import ClassVar

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseClientRedirect

from jobs.errors import NotFound
from jobs.models import Membership
from jobs.sentences import explained
from jobs.teams.actor import Actor
from jobs.teams.caller import client_address
from segmentation.errors import MattingError

TEAM_KEY = "team_id"


def chosen_membership(request: HttpRequest, memberships: Sequence[Membership]) -> Membership | None:
    """Give the membership of the team chosen in the bar, or the user's first."""
    chosen = request.session.get(TEAM_KEY)
    return next((entry for entry in memberships if str(entry.team_id) == chosen), next(iter(memberships), None))


class TeamPage(LoginRequiredMixin):
    """Give a page's view its `actor`: the signed-in user, acting for the current team."""

    section = ""

    def handle_no_permission(self) -> HttpResponse:
        """Ask to sign in; have htmx open that page itself, as it would show it in place of what it asked for."""
        answer = super().handle_no_permission()
        if not self.request.htmx:
            return answer
        page = self.request.htmx.current_url_abs_path or self.request.get_full_path()
        return HttpResponseClientRedirect(redirect_to_login(page).url)

    @property
    def actor(self) -> Actor:
        request = self.request
        memberships = Membership.objects.select_related("team").filter(user=request.user).order_by("created_at")
        membership = chosen_membership(request, list(memberships))
        if membership is None:
            raise PermissionDenied(
                _("You are not a member of a team yet. Open the invitation link from a team manager.")
            )
        return Actor(
            team=membership.team,
            user=request.user,
            membership=membership,
            address=client_address(request),
            request_id=str(uuid.uuid4()),
        )

    def get_context_data(self, **values: object) -> dict[str, object]:
        return super().get_context_data(section=self.section, **values)


class FragmentPage(TeamPage, TemplateView):
    """Show a page, and to htmx at the same address only a part of it; no cache may give one for the other."""

    fragment_name: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        if request.htmx:
            response["Cache-Control"] = "no-store"
        return response

    def get_template_names(self) -> list[str]:
        return [self.fragment_name if self.request.htmx else self.template_name]


class ButtonsOnly:
    """Lead a GET to the page whose buttons post here: after signing in anew, the browser comes back by GET.

    address: the name of that page among the URLs, which takes the same arguments.
    """

    address: ClassVar[str] = ""

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        messages.warning(request, _("The action was not carried out. Press the button again."))
        return redirect(self.address, **kwargs)


class DeedsPage(TeamPage, TemplateView):
    """Do what the buttons of a page say, and come back to it; a refusal is shown there in words.

    deeds: the value of the button named `do` -> the method that does it, which may answer with a page of its own.
    address: the page's own name among the URLs.
    typed: the form that was sent, by its name in the template, once a deed has taken it: shown again when refused.
    """

    deeds: ClassVar[dict[str, str]] = {}
    address: ClassVar[str] = ""
    typed: dict[str, Form]

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.typed = {}

    def post(self, request: HttpRequest) -> HttpResponse:
        name = self.deeds.get(request.POST.get("do", ""))
        if name is None:
            raise Http404
        try:
            shown = getattr(self, name)(request)
        except NotFound:
            raise Http404 from None
        except MattingError as error:
            shown = self._refused(error)
        return shown or redirect(self.address)

    def shown_again(self) -> HttpResponse:
        """Show the page with what was typed in and, beside it, what is wrong with it."""
        return self.render_to_response(self.get_context_data(**self.typed), status=422)

    def shown_once(self, **values: object) -> HttpResponse:
        """Show the page with a secret that it will not tell again, so that no cache may keep it."""
        response = self.render_to_response(self.get_context_data(**values))
        response["Cache-Control"] = "no-store"
        return response

    def _refused(self, error: MattingError) -> HttpResponse | None:
        said = explained(error.code, error.message)
        # Who does not manage the team has no form on the page that the words could stand beside.
        if not self.typed or not self.actor.is_manager:
            messages.error(self.request, said)
            return None
        for form in self.typed.values():
            form.add_error(error.field if error.field in form.fields else None, said)
        return self.shown_again()
