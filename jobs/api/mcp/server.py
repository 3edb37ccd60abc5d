"""The MCP (Model Context Protocol) server. Its tools act for the team of an API key.

The tools call the same services as the HTTP APIs, so quotas and the audit trail apply.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from rest_framework.utils.encoders import JSONEncoder

from jobs.api.auth import is_allowed_from
from jobs.api.links import source_of_url
from jobs.api.native.documents import job_document
from jobs.api.parking import picture_of
from jobs.errors import AuthenticationRequired, JobNotFound, ScopeMissing
from jobs.intake.sources import Source, accept_base64, default_limits
from jobs.models import Artifact, Job, JobImage, Scope
from jobs.quota.limits import limits_within, quota_of
from jobs.recipes.selectors import recipe_named
from jobs.results import storage
from jobs.results.downloads import download_note
from jobs.results.selectors import file_of, result_of
from jobs.teams.actor import Actor
from jobs.teams.keys import key_touch
from jobs.teams.rates import rates_of, request_spend, require_room
from jobs.teams.selectors import key_by_secret
from jobs.work.repeats import jobs_delivered
from jobs.work.selectors import image_at, job_get
from jobs.work.submission import Door, job_submit
from jobs.work.waiting import wait_for_job
from segmentation.errors import ImageMissing, InvalidParameter, MattingError
from segmentation.options import Box, Color, CutoutOptions, Format, Method, Point, Subject

NAME = "mcp"
KEY_VARIABLE = "KEYLINE_KEY"
_FIELDS_BYTES = 64 * 2**10
INSTRUCTIONS = (
    "Removes the background of pictures. cut_out answers the picture itself and the id of its job; with boxes or "
    "points it cuts out what is there. look_at_job shows a job, fetch_result answers one of its files."
)


def build_server(*, base_url: str = "") -> MCPServer:
    """Create and return the MCP server with its tools.

    base_url: the site's URL, which is the beginning of the links in jobs.
    """

    def cut_out(
        context: Context[Any, Any],
        image_base64: str = "",
        image_url: str = "",
        boxes: list[list[float]] | None = None,
        points: list[list[float]] | None = None,
        subject: Subject = Subject.AUTO,
        format: Format = Format.PNG,
        background: str = "",
        crop: bool = False,
        recipe: str = "",
    ) -> list[Image | str]:
        """Remove the background of one picture, given as base64 or by URL.

        boxes: [left, top, right, bottom] of each box, in pixels.
        points: [x, y, 1] for a place to keep, [x, y, 0] for a place to remove, in pixels.
        recipe: the name of a recipe (rules that finish a picture), such as amazon-main. The finished picture is then
        returned instead of the cutout.
        """
        actor = actor_of(context, Scope.SUBMIT, is_submit=True)
        options = CutoutOptions(
            method=Method.BOXES if boxes else Method.POINTS if points else Method.AUTO,
            boxes=tuple(Box.parse(box) for box in boxes or ()),
            points=tuple(Point.parse(point) for point in points or ()),
            subject=subject,
            format=format,
            background=Color.parse(background) if background else None,
            crop=crop,
        )
        door = Door(dialect=NAME, urgency=Job.Urgency.INTERACTIVE)
        recipes = [recipe_named(actor, recipe)] if recipe else []
        sources = [_source(actor, image_base64, image_url)]
        job = job_submit(actor=actor, door=door, options=options, sources=sources, recipes=recipes)
        image = picture_of(actor=actor, job=wait_for_job(job.pk, timeout_s=settings.MATTING_MAX_WAIT_S))
        answer: list[Image | str] = [_sent(actor, result_of(image, Artifact.Kind.CUTOUT)), f"job {job.pk}"]
        jobs_delivered([job.pk])  # an equal call after this one creates a new job
        return answer

    def look_at_job(context: Context[Any, Any], job_id: str) -> dict[str, Any]:
        """Return a job: its state, its pictures, and links to their files."""
        actor = actor_of(context, Scope.READ)
        return _plain(job_document(job_get(actor, _uuid(job_id)), base_url=base_url))

    def fetch_result(
        context: Context[Any, Any], job_id: str, position: int = 0, kind: Artifact.Kind = Artifact.Kind.CUTOUT
    ) -> Image:
        """Return one file of a picture of a job.

        position: the position of the picture in the job, from 0.
        kind: cutout, mask, alpha, visualization, thumbnail or source.
        """
        actor = actor_of(context, Scope.READ)
        return _picture(actor, image_at(job_get(actor, _uuid(job_id)), position), kind)

    tools = [_tool(function) for function in (cut_out, look_at_job, fetch_result)]
    return MCPServer("keyline", instructions=INSTRUCTIONS, tools=tools)


def max_request_bytes() -> int:
    """Return the maximum size of an HTTP request to the MCP server, in bytes.

    The size is enough for one picture of the site's maximum size as base64, and for other fields.
    """
    return settings.MATTING_MAX_IMAGE_BYTES * 4 // 3 + _FIELDS_BYTES


def actor_of(context: Context[Any, Any], scope: str, *, is_submit: bool = False) -> Actor:
    """Return the actor of a tool call: the team that acts, with the API key of the call.

    A call over HTTP has the key in the header Authorization or X-API-Key. A call over stdio has the key in the
    environment variable KEYLINE_KEY.

    scope: the scope that the key must have.
    is_submit: whether the call counts as a submission (True) or as a query (False).

    Raise AuthenticationRequired without a valid key, ScopeMissing without the scope, and RateLimited if the team has
    sent too many requests.
    """
    headers = context.headers
    address: str | None
    if headers is None:
        secret, address = os.environ.get(KEY_VARIABLE, ""), "127.0.0.1"
    else:
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        secret = secret if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        request = context.request_context.request
        address = request.client.host if request and request.client else None
    key = key_by_secret(secret.strip())
    if key is None or not key.is_active or not is_allowed_from(key, address):
        raise AuthenticationRequired
    if not key.has_scope(scope):
        raise ScopeMissing(scope)
    key_touch(key=key, address=address)
    require_room(request_spend(key.team, rates_of(quota_of(key.team), dialect=NAME, is_submit=is_submit)))
    return Actor(team=key.team, key=key, address=address, request_id=str(uuid.uuid4()))


def _tool(function: Callable[..., Any]) -> Tool:
    """Return a function as a tool. Unknown arguments are refused; by default the package ignores them."""
    tool = Tool.from_function(_answering(function))
    arguments = tool.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    tool.parameters["additionalProperties"] = False
    return tool


def _answering(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `tool` and converts a MattingError to a ToolError.

    The function also closes old database connections before and after the call.
    """

    @wraps(tool)
    def call(*args: Any, **values: Any) -> Any:
        close_old_connections()
        try:
            return tool(*args, **values)
        except MattingError as error:
            raise ToolError(f"{error.message} ({error.code})") from error
        finally:
            close_old_connections()

    return call


def _source(actor: Actor, image_base64: str, image_url: str) -> Source:
    limits = limits_within(default_limits(), quota_of(actor.team))
    if image_base64 and image_url:
        raise InvalidParameter("image_url: send this or image_base64", field="image_url")
    if image_base64:
        return accept_base64(image_base64, limits=limits)
    if image_url:
        return source_of_url(image_url, limits=limits)
    raise ImageMissing("Send image_base64 or image_url.", field="image_base64")


def _picture(actor: Actor, image: JobImage, kind: str) -> Image:
    return _sent(actor, file_of(image, kind))


def _sent(actor: Actor, artifact: Artifact) -> Image:
    download_note(actor=actor, artifact=artifact)
    return Image(data=storage.read(artifact.key), format=artifact.content_type.partition("/")[2])


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise JobNotFound from None


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a document that contains only plain JSON types, for example strings instead of UUIDs."""
    plain: dict[str, Any] = json.loads(json.dumps(document, cls=JSONEncoder))
    return plain
