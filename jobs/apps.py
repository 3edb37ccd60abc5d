"""The Django application: models, checks and admin are wired up here."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Cutouts"

    def ready(self) -> None:
        from jobs import (
            checks,  # noqa: F401  registers the system checks
            signals,  # noqa: F401  hears of sign-ins
        )
