"""Native API: `GET /api/account` returns the team's quota, its usage, and the times at which the quota resets."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.problem import PROBLEM
from jobs.models import ApiKey
from jobs.quota.limits import quota_of
from jobs.quota.selectors import stored_bytes, tasks_of
from jobs.quota.windows import Allowance, allowances

from .base import NativeView


class TeamSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class KeySerializer(serializers.Serializer):
    id = serializers.CharField(help_text="The key's public id.")
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)


class AllowanceSerializer(serializers.Serializer):
    limit = serializers.IntegerField(allow_null=True, help_text="null: no limit.")
    used = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField(required=False)


class LimitsSerializer(serializers.Serializer):
    requests_per_second = serializers.IntegerField(allow_null=True)
    max_image_bytes = serializers.IntegerField(allow_null=True)
    max_image_megapixels = serializers.FloatField(allow_null=True)
    retention_hours = serializers.IntegerField(allow_null=True)


class AccountSerializer(serializers.Serializer):
    """The JSON of the account. For each quota it contains the limit, the used amount and the remaining amount."""

    team = TeamSerializer()
    key = KeySerializer(allow_null=True)
    pictures_today = AllowanceSerializer()
    pictures_this_month = AllowanceSerializer()
    stored_bytes = AllowanceSerializer()
    running_tasks = AllowanceSerializer()
    pending_tasks = AllowanceSerializer()
    limits = LimitsSerializer()


class AccountView(NativeView):
    """Return the team's quota and its usage."""

    @extend_schema(
        tags=["Native"],
        operation_id="account_get",
        summary="Get the team's quota and use",
        responses={200: AccountSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        actor = self.actor
        quota = quota_of(actor.team)
        day, month = allowances(actor.team, quota)
        tasks = tasks_of(actor.team)
        body = {
            "team": actor.team,
            "key": None if actor.key is None else _key(actor.key),
            "pictures_today": _period(day),
            "pictures_this_month": _period(month),
            "stored_bytes": _standing(quota.stored_bytes, stored_bytes(actor.team)),
            "running_tasks": _standing(quota.running_tasks, tasks["running"]),
            "pending_tasks": _standing(quota.pending_tasks, tasks["pending"]),
            "limits": quota,
        }
        return Response(AccountSerializer(body).data)


def _key(key: ApiKey) -> dict[str, Any]:
    return {"id": key.public_id, "name": key.name, "scopes": key.scopes, "expires_at": key.expires_at}


def _period(allowance: Allowance) -> dict[str, Any]:
    return _standing(allowance.limit, allowance.used) | {"resets_at": allowance.resets_at}


def _standing(limit: int | None, used: int) -> dict[str, Any]:
    return {"limit": limit, "used": used, "left": None if limit is None else max(0, limit - used)}
