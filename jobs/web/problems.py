"""The page that explains the error codes. Problem documents link to it in `type`."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from jobs.errors import error_kinds


class ProblemsView(TemplateView):
    """Page that lists the error codes. It is public, because it contains no team's data."""

    template_name = "problems.html"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        return super().get_context_data(errors=error_kinds(), **values)
