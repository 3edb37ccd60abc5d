"""Base classes of the API views. They convert exceptions to each API's error format and apply rate limits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext_noop
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from jobs.api.auth import actor_of
from jobs.api.body_limits import BodyLimits, no_picture
from jobs.api.delivered import answer_failed
from jobs.api.parking import WaitingView
from jobs.api.submitting import REPLAYED, SubmittingView
from jobs.errors import (
    AuthenticationRequired,
    DatabaseUnavailable,
    MalformedBody,
    NotFound,
    PermissionDenied,
    QueueUnavailable,
    RateLimited,
    ServerBusy,
    StorageFailed,
)
from jobs.intake.sources import too_many_images
from jobs.models import Job
from jobs.quota.limits import limits_within, quota_of
from jobs.quota.windows import allowances
from jobs.teams.actor import Actor
from jobs.teams.rates import Standing, allowance_standings, rate_limit_headers, rates_of, request_spend, require_room
from jobs.telemetry.requests import component_failed, refused
from segmentation.errors import ImageTooLarge, InvalidParameter, MattingError
from segmentation.image import Limits

logger = logging.getLogger(__name__)

_COUNTED = "keyline.standings"
_LONGEST_PROBLEM = 300  # limit in characters, because a message may repeat input of any length


class MethodNotAllowed(MattingError):
    code, http_status = "method_not_allowed", 405
    public_message = gettext_noop("This URL does not take that method.")


class UnsupportedMediaType(MalformedBody):
    http_status = 415
    public_message = gettext_noop("This Content-Type is not understood here.")


class RequestTooLarge(ImageTooLarge):
    public_message = gettext_noop("The request's body is too large.")


class DialectView(SubmittingView, WaitingView):
    """Base class of the views of all APIs. It converts exceptions to responses and applies rate limits.

    The method `render_error` creates the response to an exception.

    dialect: the name of the API. Its request limits apply in addition to the team's limits.
    is_submit: whether a request counts as a submission (True) or as a query (False); None: only POST is a submission.
    is_rated: whether rate limits apply.
    body_limits: a function that returns the accepted body sizes.
    standings: the state of each rate limit after the request, for the response headers.
    ignored_fields: the names of request fields without effect, for the response header X-Ignored-Fields.
    """

    dialect: ClassVar[str] = Job.Dialect.NATIVE
    is_submit: ClassVar[bool | None] = None
    is_rated: ClassVar[bool] = True
    body_limits: ClassVar[Callable[[], BodyLimits]] = staticmethod(no_picture)
    standings: Sequence[Standing] = ()
    ignored_fields: Sequence[str] = ()
    _is_counted = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.take_up(request):
            return
        super().initial(request, *args, **kwargs)
        if self.is_rated and (request.auth is not None or request.user.is_authenticated):
            self._request_spend()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_limit_headers([*self.standings, *self._picture_standings()]).items():
            response[name] = value
        if self.is_replay:
            response[REPLAYED] = "true"
        if self.ignored_fields:
            response["X-Ignored-Fields"] = ", ".join(quote(name) for name in self.ignored_fields)[:_LONGEST_PROBLEM]
        return response

    def _picture_standings(self) -> list[Standing]:
        """Return the state of the team's picture quotas after the request, for the response headers.

        Return an empty list if the request was not counted, if the team has no picture quota, or if the database fails.
        """
        if not self._is_counted:
            return []
        quota = quota_of(self.actor.team)
        if quota.images_per_day is None and quota.images_per_month is None:
            return []
        try:
            return allowance_standings(allowances(self.actor.team, quota))
        except DatabaseError:
            return []

    def note_ignored(self, serializer: serializers.Serializer) -> None:
        """Store the names of the unknown request fields for the response header X-Ignored-Fields.

        The APIs of other vendors ignore unknown fields, so the APIs that emulate them ignore unknown fields too.
        """
        self.ignored_fields = sorted(_unknown_names(serializer, serializer.initial_data))

    def _request_spend(self) -> None:
        """Count the request against the team's rate limits; raise RateLimited if the request exceeds one of them.

        A request is counted once, even if the web server runs the view a second time after it has read the body.
        """
        counted = self.request.META.get(_COUNTED)
        if counted is not None:
            self._is_counted = True
            self.standings = counted
            return
        quota = quota_of(self.actor.team)
        is_submit = self.request.method == "POST" if self.is_submit is None else self.is_submit
        rates = rates_of(quota, dialect=self.dialect, is_submit=is_submit)
        self._is_counted = True
        self.standings = request_spend(self.actor.team, rates)
        require_room(self.standings)
        self.request.META[_COUNTED] = self.standings

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def base_url(self) -> str:
        return self.request.build_absolute_uri("/").rstrip("/")

    def team_limits(self, limits: Limits) -> Limits:
        """Return the picture limits of an API, reduced to the team's quota.

        Use this method for requests in which each picture can be rejected separately.

        limits: the limits of the API.
        """
        return limits_within(limits, quota_of(self.actor.team))

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        """Return the response to an error in the API's format. Subclasses must implement this method."""
        raise TypeError(f"{type(self).__name__} renders no errors")

    def get_exception_handler(self) -> Any:
        return self._handle

    def _handle(self, exception: Exception, context: dict[str, Any]) -> Response:
        error = matting_error_of(exception)
        request = context.get("request")
        if isinstance(error, UnsupportedMediaType):
            types = ", ".join(parser.media_type for parser in self.parser_classes)
            error.message = f"This Content-Type is not understood here; send {types}."
        if error.http_status >= 500:
            logger.exception("request failed", exc_info=exception)
            if component := _component_of(error):
                component_failed(component)
            answer_failed(request)
        set_rollback()
        response = self.render_error(error, request)
        if error.http_status == 429:
            refused(api=self.dialect, error=error.code)
        retry_after_s = getattr(error, "retry_after_s", None)
        if retry_after_s is not None:
            response["Retry-After"] = str(max(1, int(retry_after_s)))
        if isinstance(error, AuthenticationRequired) and response.status_code == 401:
            response["WWW-Authenticate"] = 'Bearer realm="keyline"'
        return response


class PublishedView(DialectView):
    """Base class of the views of the emulated vendor APIs. The responses are always in English.

    The clients of these APIs compare the texts of responses, so the texts must not be translated.

    query_fields: the query parameters that the view reads. The header X-Ignored-Fields names all others. None: the
    view's serializer reads the whole query, and `note_ignored` stores the names of the others.
    """

    query_fields: ClassVar[tuple[str, ...] | None] = ()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if self.query_fields is not None:
            with suppress(SuspiciousOperation):  # too many parameters to read; the response is ready already
                unknown = sorted({*request.query_params} - {*self.query_fields, *self.ignored_fields})
                self.ignored_fields = [*self.ignored_fields, *unknown]
        return super().finalize_response(request, response, *args, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):
            response = super().dispatch(request, *args, **kwargs)
        response["Content-Language"] = "en"
        return response


class NothingHere:
    """Mixin for views of unknown paths. Each request raises NotFound.

    In the list of base classes, this mixin must be before the API's view class.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


def _component_of(error: MattingError) -> str:
    """Return the part of the site that caused an error: `database`, `broker` or `storage`.

    Return an empty string for other errors.
    """
    match error:
        case DatabaseUnavailable():
            return "database"
        case ServerBusy():
            return ""
        case QueueUnavailable():
            return "broker"
        case StorageFailed():
            return "storage"
    return ""


def matting_error_of(exception: Exception) -> MattingError:
    """Return the MattingError that corresponds to an exception in a view.

    If the exception is unknown, return a plain MattingError, which means an internal error.
    """
    match exception:
        case MattingError():
            return exception
        case exceptions.ValidationError():
            message, field = _first_problem(exception.detail)
            return InvalidParameter(message, field=field)
        case exceptions.UnsupportedMediaType():
            return UnsupportedMediaType()
        case exceptions.ParseError() | TooManyFieldsSent():
            return MalformedBody()
        case TooManyFilesSent():
            return too_many_images("these files")
        case RequestDataTooBig():
            return RequestTooLarge()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return AuthenticationRequired()
        case exceptions.PermissionDenied() | DjangoPermissionDenied():
            return PermissionDenied(str(getattr(exception, "detail", "") or ""))
        case Http404() | exceptions.NotFound():
            return NotFound()
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed()
        case exceptions.Throttled():
            return RateLimited(retry_after_s=int(getattr(exception, "wait", None) or 1))
        case SuspiciousOperation() | UnicodeDecodeError() | RecursionError():  # JSON nested thousands of levels deep
            return MalformedBody()
        case OperationalError() | InterfaceError():
            return DatabaseUnavailable()
    return MattingError()


def _unknown_names(serializer: serializers.Serializer, sent: Any, within: str = "") -> Iterator[str]:
    """Yield the names in `sent` that the serializer does not define. Names in nested objects are joined with dots."""
    read = {*serializer.fields, *getattr(serializer, "also_read", ())}
    for name in sent if isinstance(sent, Mapping) else ():
        if name not in read:
            yield f"{within}{name}"
        elif isinstance(nested := serializer.fields.get(name), serializers.Serializer):
            yield from _unknown_names(nested, sent[name], f"{within}{name}.")


def _first_problem(detail: Any, name: str = "") -> tuple[str, str]:
    """Return the first message in the nested errors of a serializer, and the name of its field.

    The message begins with the name of the field. The name is an empty string if the error belongs to no field.
    """
    while isinstance(detail, dict | list) and detail:
        if isinstance(detail, dict):
            key = next(iter(detail))
            # The outermost name is the caller's field; inside it are indexes of list entries.
            name, detail = (name or ("" if key == "non_field_errors" else str(key))), detail[key]
        else:
            detail = detail[0]
    return _sayable(f"{name}: {detail}" if name else str(detail)), _sayable(name)


def _sayable(text: str) -> str:
    """Return the text so that a response can contain it: shortened in the middle, and without lone surrogates.

    The text is an error message. Its end is kept, because the end contains the reason. JSON strings may contain lone
    surrogates, but UTF-8 cannot, so lone surrogates are escaped.
    """
    if len(text) > _LONGEST_PROBLEM:
        text = f"{text[: _LONGEST_PROBLEM // 2]} … {text[-_LONGEST_PROBLEM // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
