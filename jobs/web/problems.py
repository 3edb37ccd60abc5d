"""The page that explains the error codes. The field `type` of problem documents (RFC 9457) links to this page."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from jobs.errors import error_kinds


class ProblemsView(TemplateView):
    """Page that lists all error codes. The page is public, because it contains no data of a team."""

    template_name = "problems.html"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        return super().get_context_data(errors=error_kinds(), **values)
