"""The guarded HTTP client, used for every request to a URL that a user gave: picture downloads and webhooks.

Called by workers. Touches the network and nothing else: no database, no storage. `policy` sets what may be reached,
`url` parses strictly, `address` judges IP addresses, `connection` connects to a checked address under a deadline.
"""

from jobs.intake.fetch.client import Fetched, Response, fetch_bytes, post_bytes
from jobs.intake.fetch.policy import Policy, policy_from_settings
from jobs.intake.fetch.url import check_url

__all__ = ["Fetched", "Policy", "Response", "check_url", "fetch_bytes", "policy_from_settings", "post_bytes"]
