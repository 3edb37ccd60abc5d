"""Which model answered a picture, and why."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.models import Tier


@dataclass(frozen=True, slots=True)
class Choice:
    """Record which model answered a picture.

    reason: `quality`: the picture's quality asks for it; of quality `auto`: `certain`, `uncertain`, `share` or `time`
    (see `escalation`); `memory`: the wanted model did not fit; `missing`: the wanted model cannot be had; `trial`: the
    model under trial was to answer.
    """

    model: str
    version: str
    runtime: str
    tier: Tier
    reason: str

    @property
    def label(self) -> str:
        """Return name and version, as results carry them."""
        return f"{self.model} {self.version}"[:80]
