"""Send messages about uncertain results to a team's webhooks, so that people can review these results first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from jobs.models import JobImage, Webhook
from jobs.webhooks.outbox import delivery_enqueue


def uncertain_announce(*, image: JobImage) -> int:
    """Queue the webhook message `image.uncertain` if a picture's uncertainty is at least its team's `review_above`.

    Return the number of queued messages, one for each webhook that receives this event. Call the function in the
    transaction that writes the picture's result.
    """
    team = image.job.team
    if team.review_above is None or image.uncertainty is None or image.uncertainty < team.review_above:
        return 0
    event = Webhook.Event.IMAGE_UNCERTAIN
    listening = [
        hook for hook in team.webhooks.filter(kind=Webhook.Kind.ENDPOINT, is_enabled=True) if event in hook.events
    ]
    for webhook in listening:
        delivery_enqueue(webhook=webhook, event=event, payload=_payload(image, team.review_above), job=image.job)
    return len(listening)


def _payload(image: JobImage, level: float) -> dict[str, Any]:
    return {
        "type": Webhook.Event.IMAGE_UNCERTAIN,
        "timestamp": timezone.now().astimezone(dt.UTC).isoformat(),
        "data": {
            "job_id": str(image.job_id),
            "image_id": str(image.pk),
            "position": image.position,
            "name": image.name,
            "uncertainty": image.uncertainty,
            "review_above": level,
            "model": image.model_version,
            "tier": image.tier,
        },
    }
