"""Stages 1 and 9 in the browser: the pages. They submit through the native API, as any client does."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import TemplateView


class HomeView(LoginRequiredMixin, TemplateView):
    """Show the one page on which a picture is dropped and its cutout appears."""

    template_name = "home.html"

    def get_context_data(self, **values: object) -> dict[str, object]:
        limits = {"max_bytes": settings.MATTING_MAX_IMAGE_BYTES, "max_pixels": settings.MATTING_MAX_IMAGE_PIXELS}
        return super().get_context_data(limits=limits, **values)
