"""The ASGI entry point. `python -m webserver` serves this application."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mattingsite.settings")
django.setup(set_prefix=False)

from django.urls import get_resolver  # noqa: E402  it needs the settings

from jobs.running.metrics import metrics_tidy  # noqa: E402
from jobs.work.wakeups import JobWakeups  # noqa: E402
from webserver.application import Application  # noqa: E402
from webserver.configuration import from_environment  # noqa: E402
from webserver.django_requests import DjangoHandler  # noqa: E402

application = Application(from_environment(), JobWakeups(), DjangoHandler(), on_start=metrics_tidy)
_ = get_resolver().url_patterns  # imports the views now, not during the first request
