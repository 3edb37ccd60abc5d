"""The page that explains every error code, at the URL that problem documents give as their type."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from jobs.errors import error_kinds


class ProblemsView(TemplateView):
    """List the error tree. Public: it holds no data of any team."""

    template_name = "problems.html"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        return super().get_context_data(errors=error_kinds(), **values)
