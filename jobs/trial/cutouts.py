"""Services for the cutout of a visitor without an account.

The number of cutouts per hour is limited for each network and for all visitors together.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.errors import NotFound, RateLimited
from jobs.intake.sources import CheckedSource, default_limits
from jobs.models import Job, JobImage, Team
from jobs.teams.actor import Actor
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions

if TYPE_CHECKING:
    from segmentation.image import Limits

KEPT_HOURS = 1
_MAX_BYTES = 10 * 2**20
_MAX_PIXELS = 25_000_000
_WINDOW = dt.timedelta(hours=1)
_IPV6_PREFIX = 64  # the size of network that one customer usually gets
# A fixed id, because another team with the same name may exist.
TEAM_ID = uuid.UUID("5f2c3b6e-7d1a-4c0e-9a52-0d6f6a7c1b10")
TEAM_NAME = "Visitors without an account"
ADDRESS_USED_UP = gettext_noop("Your cut-out without an account is used up. Create an account to go on.")
SITE_USED_UP = gettext_noop("Too many visitors are trying this at the moment. Create an account, or come back later.")


def is_offered() -> bool:
    """Return whether visitors may cut out a picture before they sign up."""
    return settings.MATTING_TRIAL_CUTOUTS_PER_HOUR > 0


def trial_limits() -> Limits:
    """Return the limits (bytes and pixels) of a visitor's picture. They do not exceed the site's limits."""
    return default_limits(max_bytes=_MAX_BYTES, max_pixels=_MAX_PIXELS)


def trial_submit(*, source: CheckedSource, address: str | None, request_id: str = "") -> Job:
    """Submit a visitor's picture and return its job, which is deleted after KEPT_HOURS hours.

    address: the visitor's IP address; None means that it is unknown. All visitors with an unknown address share one
    limit.
    request_id: the id of the request.
    Raise NotFound if the operator does not allow the trial, RateLimited if the visitor's network or all visitors
    together have reached the hourly limit, and the errors of `job_submit`.
    """
    if not is_offered():
        raise NotFound
    with transaction.atomic():
        _trial_team()
        team = Team.objects.select_for_update().get(pk=TEAM_ID)  # visitors are counted one after the other
        _limits_check(team, address)
        return job_submit(
            actor=Actor(team=team, address=address, request_id=request_id),
            door=Door(dialect=Job.Dialect.WEB, retention_hours=KEPT_HOURS),
            options=CutoutOptions(),
            sources=[source],
            limits=trial_limits(),
        )


def trial_image(job_id: str) -> JobImage | None:
    """Return the picture of a visitor's trial job with its files.

    Return None if the job is not a trial job or has expired.
    """
    jobs = Job.objects.filter(pk=job_id, team=TEAM_ID, expires_at__gt=timezone.now())
    images = JobImage.objects.filter(job__in=jobs).select_related("job").prefetch_related("artifacts")
    return images.first()


def _trial_team() -> None:
    if Team.objects.filter(pk=TEAM_ID).exists():
        return
    is_taken = Team.objects.filter(name=TEAM_NAME).exists()
    name = f"{TEAM_NAME} ({TEAM_ID.hex[:8]})" if is_taken else TEAM_NAME
    Team.objects.get_or_create(pk=TEAM_ID, defaults={"name": name})


def _limits_check(team: Team, address: str | None) -> None:
    recent = Job.objects.filter(team=team, created_at__gt=timezone.now() - _WINDOW)
    addresses = list(recent.values_list("client_address", flat=True))
    network = _network_of(address)
    if sum(_network_of(each) == network for each in addresses) >= settings.MATTING_TRIAL_CUTOUTS_PER_ADDRESS:
        raise RateLimited(ADDRESS_USED_UP, retry_after_s=int(_WINDOW.total_seconds()))
    if len(addresses) >= settings.MATTING_TRIAL_CUTOUTS_PER_HOUR:
        raise RateLimited(SITE_USED_UP, retry_after_s=int(_WINDOW.total_seconds()))


def _network_of(address: str | None) -> str:
    """Return the network that counts as one visitor: an IPv4 address, or the first 64 bits of an IPv6 address.

    Return an empty string if the address is unknown.
    """
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    prefix = _IPV6_PREFIX if parsed.version == 6 else parsed.max_prefixlen
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))
