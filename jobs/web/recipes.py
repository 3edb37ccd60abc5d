"""The page on which users edit the team's recipes (rules that finish a picture), with a live preview.

The page's script reads and stores recipes through the native API.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.views.generic import TemplateView

from jobs.api.native.recipes import recipe_document
from jobs.models import JobImage
from jobs.recipes.rendering import SAMPLES
from jobs.recipes.selectors import backgrounds_of, recipes_of
from jobs.web.session import TeamPage
from jobs.work.selectors import images_recent

RECENT = 6


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture that the preview of a recipe can show: a sample, or a result of the team.

    wish: the fields of the preview request that select this picture.
    image: the team's result; None for a sample.
    """

    wish: dict[str, Any]
    image: JobImage | None = None

    @property
    def wish_json(self) -> str:
        return json.dumps(self.wish)


class RecipesView(TeamPage, TemplateView):
    """Page with a form for the team's recipes (rules that finish a picture).

    It also shows the team's background pictures and recent results.
    """

    template_name = "recipes.html"
    section = "recipes"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        actor = self.actor
        samples = [Subject({"sample": name}) for name in SAMPLES]
        recent = [
            Subject({"job": str(image.job_id), "position": image.position}, image)
            for image in images_recent(actor, RECENT)
            if image.foreground
        ]
        urls = {
            "recipes": reverse("recipes"),
            "preview": reverse("recipe-preview"),
            "import": reverse("recipes-import"),
            "backgrounds": reverse("backgrounds"),
        }
        return super().get_context_data(
            recipes_json=[recipe_document(named) for named in recipes_of(actor)],
            backgrounds=backgrounds_of(actor),
            subjects=[*samples, *recent],
            urls=urls,
            **values,
        )
