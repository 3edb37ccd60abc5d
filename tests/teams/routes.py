"""The table CHECKS: for each route of the site, how the tests check that it shows no data of another team.

tests/teams/test_isolation.py compares the table with the routes of the site, so that no route is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver

from tests.api.contracts import published


@dataclass(frozen=True)
class Public:
    """A route that shows no data of a team, or only data that the caller sends or already knows.

    Charlie and Alice are users in different teams. The response to Charlie's request must not contain Alice's data.
    """


@dataclass(frozen=True)
class Own:
    """A route that shows or creates only objects of the caller's team.

    bodies: request bodies with ids of Alice's objects. The route must refuse them if Charlie, a user of another team,
    sends them.
    """

    bodies: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Other:
    """A route whose URL names one object. Only the object's team may use the route with this object.

    values: for each parameter of the URL, the name of Alice's object in the fixture `things`. bodies: request bodies.
    """

    values: dict[str, str] = field(default_factory=dict)
    bodies: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Staff:
    """A route of the admin site, which only staff users may open."""


JOB = {"job_id": "job"}
IMAGE_IDS = ({"do": "delete", "image": "image"}, {"do": "zip", "image": "image"})
CHECKS: dict[str, Public | Own | Other] = {
    "health": Public(),
    "health-live": Public(),
    "health-ready": Public(),
    "schema": Public(),
    "docs": Public(),
    "set_language": Public(),
    "file": Other({"artifact_id": "artifact", "name": "file_name"}),
    "site:shared": Other({"artifact_id": "artifact"}),
    "site:status": Public(),
    "account": Own(),
    "uploads": Own(),
    "jobs": Own(({"upload": "upload"},)),
    "job": Other(JOB),
    "job-cancel": Other(JOB),
    "job-variants": Other(JOB),
    "job-again": Other(JOB),
    "job-zip": Other(JOB),
    "job-sheet": Other(JOB),
    "job-edit": Other(JOB, ({"version": "1", "edit": "{}"},)),
    "job-versions": Other(JOB, ({"name": "mine"},)),
    "job-version": Other({**JOB, "number": "number"}, ({"name": "mine"},)),
    "recipes": Own(),
    "recipe-schema": Public(),
    "recipes-export": Own(),
    "recipes-import": Own(),
    "recipe-preview": Own(({"job": "job", "recipe": "recipe"},)),
    "recipe": Other({"name": "recipe"}),
    "recipe-versions": Other({"name": "recipe"}),
    "backgrounds": Own(),
    "background": Other({"name": "background"}),
    "webhooks": Own(),
    "callback-secret": Own(),
    "webhook-deliveries": Own(),
    "webhook-delivery": Other({"delivery_id": "delivery"}),
    "webhook-delivery-replay": Other({"delivery_id": "delivery"}),
    "webhook": Other({"webhook_id": "webhook"}, ({"url": "https://evil.example/"},)),
    "webhook-rotate": Other({"webhook_id": "webhook"}),
    "site:home": Own(),
    "site:trial": Public(),
    "site:recipes": Own(({"recipe": "recipe"},)),
    "site:again": Own(({"image": "image"}, {"do": "run", "image": "image"})),
    "site:original": Other({"image_id": "image"}),
    "site:submit": Own(({"upload": "upload"},)),
    "site:gallery": Own(({"q": "search"},)),
    "site:selection": Own(IMAGE_IDS),
    "site:job-cancel": Other(JOB),
    "site:job-retry": Other(JOB),
    "site:job-zip": Other(JOB),
    "site:job": Other(JOB),
    "site:picture": Other({**JOB, "position": "position"}),
    "site:draft": Other({**JOB, "position": "position"}),
    "site:problems": Public(),
    "site:texts": Public(),
    "site:usage": Own(),
    "site:invitation": Other({"token": "guessed_token"}),
    "site:team-switch": Own(({"team": "team"},)),
    "site:team": Own(
        (
            {"do": "revoke", "id": "invitation"},
            {"do": "role", "id": "membership", "role": "member_role"},
            {"do": "remove", "id": "membership"},
        )
    ),
    "site:presets": Own(({"do": "delete", "id": "preset"}, {"do": "delete", "preset": "preset"})),
    "site:keys": Own(({"do": "revoke", "id": "key"},)),
    "site:webhooks": Own(
        (
            {"do": "delete", "id": "webhook"},
            {"do": "rotate", "id": "webhook"},
            {"do": "replay", "id": "delivery"},
        )
    ),
}
for _contract in published():
    for _name, _kind in _contract.routes.items():
        if isinstance(_kind, dict):  # the job that a route names belongs to the dialect
            CHECKS[_name] = Other({part: f"{_contract.name}:{value}" for part, value in _kind.items()})
        else:
            CHECKS[_name] = Own() if _kind == "own" else Public()


@dataclass(frozen=True)
class Route:
    """One route of the site.

    name: the route's name with its namespaces. parts: the names of the URL's parameters.
    """

    name: str
    parts: tuple[str, ...]


def routes() -> list[Route]:
    return list(_walk(get_resolver(), ""))


def _walk(resolver: URLResolver, namespace: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield Route(f"{namespace}{pattern.name or pattern.pattern}", tuple(pattern.pattern.regex.groupindex))
        else:
            yield from _walk(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)


def check_of(name: str) -> Public | Own | Other | Staff | None:
    if name.startswith("admin:"):
        return Staff()
    # allauth's own pages do not depend on teams.
    if name.startswith(("account_", "mfa_", "social", "openid_connect_")):
        return Public()
    return CHECKS.get(name)
