"""The page of a shared link, with the result, its name, the expiry of the link and a download button."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from jobs.errors import NotFound
from jobs.results import storage
from jobs.results.selectors import artifact_signed


class ShareView(View):
    """Page that shows a stored result to every visitor who has the signed link.

    If the link has expired, the page explains how to get a new link.
    """

    def get(self, request: HttpRequest, artifact_id: UUID) -> HttpResponse:
        until, signature = request.GET.get("until", ""), request.GET.get("signature", "")
        if storage.link_state(artifact_id, until, signature) != "valid":
            return render(request, "shared_expired.html", status=410)
        try:
            artifact = artifact_signed(artifact_id)
        except NotFound:
            return render(request, "shared_expired.html", status=410)
        file_url = reverse("file", args=[artifact.id, artifact.file_name])
        values: dict[str, Any] = {
            "artifact": artifact,
            "name": PurePosixPath(artifact.image.name).name if artifact.image else artifact.file_name,
            "expires_at": dt.datetime.fromtimestamp(int(until), dt.UTC),
            "file_url": f"{file_url}?until={until}&signature={signature}",
        }
        response = render(request, "shared.html", values)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response
