"""The configuration of the Django application.

When Django starts, it registers the APIs, the signal receivers and the system checks. After migrations it updates the
predefined staff roles.
"""

from __future__ import annotations

from contextlib import suppress

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = _("Cutouts")

    def ready(self) -> None:
        from jobs.api import registry
        from jobs.running import checks  # noqa: F401  registers the system checks
        from jobs.teams import account_signals  # noqa: F401  connects the receivers of sign-ins

        registry.autodiscover()
        with suppress(ImportError):  # the system checks report the missing package together with its setting
            _observers_start()
        post_migrate.connect(_roles_sync, dispatch_uid="keyline.roles")


def _observers_start() -> None:
    from django.conf import settings

    from jobs.telemetry import sentry, tracing
    from mattingsite import __version__

    if settings.OTLP_ENDPOINT:
        tracing.tracing_start(endpoint=settings.OTLP_ENDPOINT, share=settings.TRACE_SHARE)
    if settings.SENTRY_DSN:
        sentry.sentry_start(dsn=settings.SENTRY_DSN, release=__version__)


def _roles_sync(app_config: AppConfig, **kwargs: object) -> None:
    """Update the predefined staff roles after the migrations of the last application.

    Django calls this function after the migrations of each application. Before the last one, some permissions do not
    exist yet, so the function does nothing for the other applications.
    """
    from jobs.teams.roles import roles_sync

    with_models = [config for config in apps.get_app_configs() if config.models_module is not None]
    if app_config.label == with_models[-1].label:
        roles_sync()
