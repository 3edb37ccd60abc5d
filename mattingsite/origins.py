"""Origins (scheme, host and port) of other servers that the site's pages use: an S3 bucket and sign-in providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


def origin_of(url: str) -> str:
    """Return the origin of a URL: its scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def bucket_origins(options: dict[str, Any]) -> list[str]:
    """Return the origins from which browsers may get a bucket's files.

    A URL of a file contains the bucket's name either in its path or in its host name. The list has the origins of both
    kinds of URLs.

    options: the options of the S3 storage.
    """
    bucket = options["bucket_name"]
    if options["endpoint_url"]:
        parts = urlsplit(options["endpoint_url"])
        return [origin_of(options["endpoint_url"]), f"{parts.scheme}://{bucket}.{parts.netloc}"]
    region = options["region_name"]
    hosts = ["s3.amazonaws.com", *([f"s3.{region}.amazonaws.com"] if region else [])]
    return [f"https://{prefix}{host}" for host in hosts for prefix in ("", f"{bucket}.")]
