"""The record of which model processed a picture, and why this model was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.models import Tier

FINE_LACKED = ("memory", "missing")  # the reasons for which the fast model processes a picture of quality `fine`


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that processed a picture, and the reason for the choice of this model.

    The values of `reason` are:
    `quality`: the picture's quality requires this model.
    `certain`, `uncertain`, `share`, `time`: the decision for the quality `auto`, see `Escalation.decide`.
    `memory`: the preferred model did not fit into memory.
    `missing`: the preferred model is not available or cannot be loaded.
    `trial`: the picture was assigned to the model under trial.
    """

    model: str
    version: str
    runtime: str
    tier: Tier
    reason: str

    @property
    def label(self) -> str:
        """The name and the version of the model. They are stored with the result."""
        return f"{self.model} {self.version}"[:80]
