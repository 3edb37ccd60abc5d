"""Base classes of the pages: sign-in, access to the user's team, partial HTML for htmx, and actions of buttons."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View
from django.views.generic.base import ContextMixin
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from jobs.errors import NoTeam, NotFound
from jobs.sentences import explained_error
from jobs.teams.actor import Actor
from jobs.teams.caller import caller_of
from segmentation.errors import MattingError


def htmx_of(request: HttpRequest) -> HtmxDetails:
    """Return the htmx details that the middleware of django-htmx added to the request.

    `bool()` of the details is False if htmx did not send the request.
    """
    htmx: HtmxDetails = getattr(request, "htmx")  # noqa: B009  no type stub declares it
    return htmx


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of a page request: the signed-in user, who acts for the current team.

    Raise PermissionDenied with an explanation if the user has no team.
    """
    try:
        return caller_of(request).actor
    except NoTeam:
        raise PermissionDenied(
            _("You are not a member of a team yet. Open the invitation link from a team manager.")
        ) from None


class TeamPage(LoginRequiredMixin, ContextMixin, View):
    """Base class of views for signed-in users. The property `actor` contains the user and the current team."""

    section = ""

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]  # htmx needs a 200 with a header
        """Redirect to the sign-in page.

        If htmx sent the request, tell htmx to load the sign-in page as a whole page, so that it is not inserted into
        the current page.
        """
        answer = super().handle_no_permission()
        htmx = htmx_of(self.request)
        if not htmx:
            return answer
        page = htmx.current_url_abs_path or self.request.get_full_path()
        return HttpResponseClientRedirect(redirect_to_login(page).url)

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def user(self) -> User:
        return caller_of(self.request).user

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        return super().get_context_data(section=self.section, **values)


class FragmentPage(TeamPage, TemplateView):
    """Base class of pages that return only a part of their HTML (a fragment) if htmx requests the same URL.

    The response header `Vary` tells caches to store the page and the fragment separately.

    fragment_name: the template of the fragment.
    """

    fragment_name: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        if htmx_of(request):
            response["Cache-Control"] = "no-store"
        return response

    def get_template_names(self) -> list[str]:
        return [self.fragment_name] if htmx_of(self.request) else super().get_template_names()


class ButtonsOnly(View):
    """Base class of views that accept only POST. A GET request is redirected to the page with the buttons.

    Browsers send GET after a user had to sign in again.

    page_url_name: the URL name of the page with the buttons. It takes the same arguments as the view.
    """

    page_url_name: ClassVar[str] = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        messages.warning(request, _("The action was not carried out. Press the button again."))
        return redirect(self.page_url_name, *args, **kwargs)


class ActionsPage(TeamPage, TemplateView):
    """Base class of pages with buttons.

    A POST runs the action of a button and then redirects to the page, or shows the page with the errors.

    actions: maps the value of the button named `do` to the name of the method to call. The method returns a response,
    or None for a redirect to the page.
    page_url_name: the URL name of the page itself.
    typed: the submitted forms by their names in the template. An action sets them, so that the page can show invalid
    forms again.
    """

    actions: ClassVar[dict[str, str]] = {}
    page_url_name: ClassVar[str] = ""
    typed: dict[str, Form]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.typed = {}

    def post(self, request: HttpRequest) -> HttpResponse:
        name = self.actions.get(request.POST.get("do", ""))
        if name is None:
            raise Http404
        try:
            shown = getattr(self, name)(request)
        except NotFound:
            raise Http404 from None
        except MattingError as error:
            shown = self._refused(error)
        return shown or redirect(self.page_url_name)

    def shown_again(self) -> HttpResponse:
        """Return the page with the submitted values and their errors. The status is 422."""
        return self.render_to_response(self.get_context_data(**self.typed), status=422)

    def shown_once(self, **values: object) -> HttpResponse:
        """Return the page with a secret that is shown only once. The response tells caches not to store it."""
        response = self.render_to_response(self.get_context_data(**values))
        response["Cache-Control"] = "no-store"
        return response

    def _refused(self, error: MattingError) -> HttpResponse | None:
        text = explained_error(error)
        # A member who does not manage the team has no form that could show the error.
        if not self.typed or not self.actor.is_manager:
            messages.error(self.request, text)
            return None
        for form in self.typed.values():
            form.add_error(error.field if error.field in form.fields else None, text)
        return self.shown_again()
