"""Stage 9, rendering: one OpenAPI document for all doors, and Swagger UI served from local files."""

from __future__ import annotations

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

_PROBLEM = "#/components/schemas/Problem"


class KeyScheme(OpenApiAuthenticationExtension):
    """Describe the key as a bearer token."""

    target_class = "jobs.api.auth.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key's secret."}


class BrowserScheme(OpenApiAuthenticationExtension):
    """Describe the signed-in browser's cookie."""

    target_class = "jobs.api.auth.BrowserSession"
    name = "browser"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def problems_named(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:
    """Describe problem documents under their own media type; a hook of the schema's generator, which knows only one."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get("application/json", {}).get("schema", {}).get("$ref") == _PROBLEM:
                    content["application/problem+json"] = content.pop("application/json")
    return result


class Schema(SpectacularJSONAPIView):
    permission_classes = []
    authentication_classes = []


class Docs(SpectacularSwaggerSplitView):
    permission_classes = []
    authentication_classes = []
    url_name = "schema"


urlpatterns = [
    path("openapi.json", Schema.as_view(), name="schema"),
    # Swagger UI sets styles inline; scripts stay ours alone.
    path("docs", csp_update({"style-src": [UNSAFE_INLINE]})(Docs.as_view()), name="docs"),
]
