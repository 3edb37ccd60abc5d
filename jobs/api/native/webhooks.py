"""Native API: manage webhooks at /api/webhooks/, and read the log of their deliveries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.auth import HasScope, actor_of
from jobs.api.bodies import MarkedJson
from jobs.api.fields import Choice, KnownFieldsOnly
from jobs.api.problem import PROBLEM
from jobs.errors import AuthenticationRequired
from jobs.models import Webhook, WebhookDelivery
from jobs.webhooks import endpoints as services
from jobs.webhooks.outbox import delivery_replay
from jobs.webhooks.selectors import deliveries_of, delivery_get, webhook_get, webhooks_of

from .base import NativeView


class WebhookRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    """The request fields of a new webhook: its URL and its events. Without events, the webhook gets all events."""

    url = serializers.CharField(max_length=2048)
    events = serializers.ListField(child=Choice(choices=Webhook.Event.choices), allow_empty=False, required=False)


class WebhookChangeSerializer(WebhookRequestSerializer):
    """The request fields to change a webhook. Missing fields keep their values."""

    url = serializers.CharField(max_length=2048, required=False)
    is_enabled = serializers.BooleanField(required=False)


class WebhookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Webhook
        fields = ["id", "url", "events", "is_enabled", "disabled_reason", "previous_secret_until", "created_at"]


class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook with its secret. Responses contain the secret only when the secret is created or replaced."""

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class CallbackSecretSerializer(serializers.ModelSerializer):
    """The secret that signs the requests to a job's `callback_url`."""

    class Meta:
        model = Webhook
        fields = ["secret", "previous_secret_until"]


class DeliveryRowSerializer(serializers.ModelSerializer):
    """One delivery in the list of deliveries, without the payload, because a payload may contain pictures in base64."""

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "webhook",
            "job",
            "message_id",
            "event",
            "url",
            "status",
            "attempt",
            "next_try_at",
            "response_status",
            "response_prefix",
            "elapsed_ms",
            "error_code",
            "error_message",
            "created_at",
            "tried_at",
            "finished_at",
        ]


class DeliverySerializer(DeliveryRowSerializer):
    class Meta(DeliveryRowSerializer.Meta):
        fields = [*DeliveryRowSerializer.Meta.fields, "payload"]


class PageSerializer(serializers.Serializer):
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)


class DeliveryFilterSerializer(KnownFieldsOnly, PageSerializer):
    webhook = serializers.UUIDField(required=False)
    job = serializers.UUIDField(required=False)
    status = Choice(choices=WebhookDelivery.Status.choices, required=False)


class DeliveryPageSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    results = DeliveryRowSerializer(many=True)


class ManagersWrite(HasScope):
    """Allow read requests with the scope `read`. Allow changes by team managers and API keys with the scope `admin`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return super().has_permission(request, view)
        if request.auth is None and not request.user.is_authenticated:
            raise AuthenticationRequired
        services.require_manager(actor_of(request))
        return True


class ManagedView(NativeView):
    permission_classes = [ManagersWrite]


class WebhooksView(ManagedView):
    """List the team's webhooks, or create a webhook."""

    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="webhooks_list",
        summary="List webhooks",
        responses={200: WebhookSerializer(many=True), "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        return Response(WebhookSerializer(webhooks_of(self.actor), many=True).data)

    @extend_schema(
        tags=["Native"],
        operation_id="webhooks_create",
        summary="Create a webhook: a URL that is called when jobs end",
        request=WebhookRequestSerializer,
        responses={201: WebhookWithSecretSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        webhook = services.webhook_create(actor=self.actor, **_valid(WebhookRequestSerializer, request))
        return Response(WebhookWithSecretSerializer(webhook).data, status=201)


class WebhookView(ManagedView):
    """Return one webhook, change the webhook, or delete it."""

    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="webhooks_get",
        summary="Get one webhook",
        responses={200: WebhookSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        return Response(WebhookSerializer(webhook_get(self.actor, webhook_id)).data)

    @extend_schema(
        tags=["Native"],
        operation_id="webhooks_change",
        summary="Change a webhook, or switch it off and on",
        request=WebhookChangeSerializer,
        responses={200: WebhookSerializer, "4XX": PROBLEM},
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        actor = self.actor
        changes = _valid(WebhookChangeSerializer, request)
        webhook = services.webhook_update(actor=actor, webhook=webhook_get(actor, webhook_id), **changes)
        return Response(WebhookSerializer(webhook).data)

    @extend_schema(
        tags=["Native"],
        operation_id="webhooks_delete",
        summary="Delete a webhook with its log",
        responses={204: None, "4XX": PROBLEM},
    )
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        actor = self.actor
        services.webhook_delete(actor=actor, webhook=webhook_get(actor, webhook_id))
        return Response(status=204)


class WebhookRotateView(ManagedView):
    """Replace the secret of a webhook."""

    @extend_schema(
        tags=["Native"],
        operation_id="webhooks_rotate",
        summary="Create a new secret; both sign for 24 hours",
        request=None,
        responses={200: WebhookWithSecretSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        actor = self.actor
        webhook = services.webhook_rotate(actor=actor, webhook=webhook_get(actor, webhook_id))
        return Response(WebhookWithSecretSerializer(webhook).data)


class CallbackSecretView(ManagedView):
    """Return or replace the secret that signs the callbacks of the team's jobs."""

    @extend_schema(
        tags=["Native"],
        operation_id="callback_secret_get",
        summary="Show the secret that signs job callbacks",
        responses={200: CallbackSecretSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        services.require_manager(self.actor)
        return Response(CallbackSecretSerializer(services.callback_signer(team=self.actor.team)).data)

    @extend_schema(
        tags=["Native"],
        operation_id="callback_secret_rotate",
        summary="Create a new secret for job callbacks; both sign for 24 hours",
        request=None,
        responses={200: CallbackSecretSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        actor = self.actor
        signer = services.webhook_rotate(actor=actor, webhook=services.callback_signer(team=actor.team))
        return Response(CallbackSecretSerializer(signer).data)


class DeliveriesView(ManagedView):
    """List the deliveries of the team's webhooks."""

    query_fields = None

    @extend_schema(
        tags=["Native"],
        operation_id="webhook_deliveries_list",
        summary="List deliveries, newest first",
        parameters=[DeliveryFilterSerializer],
        responses={200: DeliveryPageSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        filters = DeliveryFilterSerializer(data=request.query_params)
        filters.is_valid(raise_exception=True)
        chosen = dict(filters.validated_data)
        page, page_size = chosen.pop("page"), chosen.pop("page_size")
        found = deliveries_of(self.actor).filter(**chosen)
        rows = found[(page - 1) * page_size : page * page_size]
        results = DeliveryRowSerializer(rows.defer("payload"), many=True).data
        count = found.count()
        body = {"count": count, "page": page, "page_size": page_size, "results": results}
        return Response(body, headers=self.page_links(page=page, page_size=page_size, count=count))


class DeliveryView(ManagedView):
    """Return one delivery of a webhook."""

    @extend_schema(
        tags=["Native"],
        operation_id="webhook_deliveries_get",
        summary="Get one delivery",
        responses={200: DeliverySerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        return Response(DeliverySerializer(delivery_get(self.actor, delivery_id)).data)


class DeliveryReplayView(ManagedView):
    """Queue the message of a webhook delivery to be sent again, as a new delivery."""

    @extend_schema(
        tags=["Native"],
        operation_id="webhook_deliveries_replay",
        summary="Send the same message again, as a new delivery",
        request=None,
        responses={202: DeliverySerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        actor = self.actor
        delivery = delivery_get(actor, delivery_id)
        again = delivery_replay(actor=actor, delivery=delivery)
        return Response(DeliverySerializer(again).data, status=202)


def _valid(serializer: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
