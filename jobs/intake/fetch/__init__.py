"""The guarded HTTP client. It sends all requests to URLs that users provide: picture downloads and webhooks.

`policy` defines the permitted hosts and ports. `url` parses URLs strictly. `address` tells whether an IP address is
public. `connection` connects to a checked address within a deadline. `client` sends the requests. APIs, pages and
workers call this package. It uses the network, but neither the database nor the storage.
"""

from jobs.intake.fetch.client import Fetched, Response, fetch_bytes, post_bytes
from jobs.intake.fetch.policy import Policy, policy_from_settings
from jobs.intake.fetch.url import check_url

__all__ = ["Fetched", "Policy", "Response", "check_url", "fetch_bytes", "policy_from_settings", "post_bytes"]
