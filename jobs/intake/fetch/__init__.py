"""The guarded HTTP client. Requests to URLs that users send go through it: picture downloads and webhooks.

Workers call it. It uses the network, but neither the database nor the storage. `policy` defines the permitted hosts,
`url` parses strictly, `address` classifies IP addresses, `connection` connects to a checked address within a deadline.
"""

from jobs.intake.fetch.client import Fetched, Response, fetch_bytes, post_bytes
from jobs.intake.fetch.policy import Policy, policy_from_settings
from jobs.intake.fetch.url import check_url

__all__ = ["Fetched", "Policy", "Response", "check_url", "fetch_bytes", "policy_from_settings", "post_bytes"]
