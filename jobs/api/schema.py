"""The OpenAPI document of all APIs, and the Swagger UI that shows it. Swagger UI is loaded from files of this site."""

from __future__ import annotations

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication

from jobs.api.accept import FirstRenderer
from jobs.api.problem import MEDIA_TYPE

_PROBLEM = "#/components/schemas/Problem"


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe for the OpenAPI document how to send an API key: as a bearer token, or in the header X-API-KEY."""

    target_class = "jobs.api.auth.KeyAuthentication"
    name: Any = ("key", "keyHeader")

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        text = "An API key's secret."
        return [
            {"type": "http", "scheme": "bearer", "description": text},
            {"type": "apiKey", "in": "header", "name": "X-API-KEY", "description": text},
        ]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]


class BrowserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the cookie of a signed-in browser for the OpenAPI document."""

    target_class = "jobs.api.auth.BrowserSession"
    name = "browser"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class NetworkScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Leave access by network out of the OpenAPI document, because a client cannot choose its network."""

    target_class = "jobs.api.auth.NetworkAuthentication"
    name: Any = ()  # no security scheme

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        return []

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[Any]]]:
        return []


def problems_named(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:
    """Set the media type of problem documents in the OpenAPI document `result`, and return the document.

    The schema generator calls this function as a hook. The generator itself supports only one media type for all
    responses.
    """
    for operations in result["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get("application/json", {}).get("schema", {}).get("$ref") == _PROBLEM:
                    content[MEDIA_TYPE] = content.pop("application/json")
    return result


class Schema(SpectacularJSONAPIView):
    content_negotiation_class = FirstRenderer
    permission_classes = []
    authentication_classes = []


class Docs(SpectacularSwaggerSplitView):
    content_negotiation_class = FirstRenderer
    permission_classes = []
    authentication_classes = [SessionAuthentication]  # for the bar at the top of the page
    url_name = "schema"


urlpatterns = [
    path("openapi.json", Schema.as_view(), name="schema"),
    # Swagger UI sets styles inline; scripts come from this site only.
    path("docs", csp_update({"style-src": [UNSAFE_INLINE]})(Docs.as_view()), name="docs"),
]
