"""Stage 9, rendering: one OpenAPI document for all doors, and Swagger UI served from local files."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView


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


class Schema(SpectacularJSONAPIView):
    permission_classes = []
    authentication_classes = []


class Docs(SpectacularSwaggerSplitView):
    permission_classes = []
    authentication_classes = []
    url_name = "schema"


urlpatterns = [
    path("openapi.json", Schema.as_view(), name="schema"),
    path("docs", Docs.as_view(), name="docs"),
]
