"""Stage 9 in the browser: what every error code means, at the address that problem documents name as their type."""

from __future__ import annotations

from django.views.generic import TemplateView

from jobs.errors import error_kinds


class ProblemsView(TemplateView):
    """List the error tree; open to anybody, since it tells nothing of anybody."""

    template_name = "problems.html"

    def get_context_data(self, **values: object) -> dict[str, object]:
        return super().get_context_data(errors=error_kinds(), **values)
