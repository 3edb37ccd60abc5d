"""Stages 1 and 9, intake and callbacks: the one guarded HTTP client, for every request to an address of a user."""

from jobs.intake.fetch.client import Fetched, Response, fetch_bytes, post_bytes
from jobs.intake.fetch.policy import Policy, policy_from_settings
from jobs.intake.fetch.url import check_url

__all__ = ["Fetched", "Policy", "Response", "check_url", "fetch_bytes", "policy_from_settings", "post_bytes"]
