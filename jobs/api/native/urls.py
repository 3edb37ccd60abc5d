"""The native API's addresses."""

from django.urls import path

from . import account, uploads, variants, views, webhooks

urlpatterns = [
    path("api/account", account.AccountView.as_view(), name="account"),
    path("api/uploads/", uploads.UploadsView.as_view(), name="uploads"),
    path("api/jobs/", views.JobsView.as_view(), name="jobs"),
    path("api/jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    path("api/jobs/<uuid:job_id>/cancel", views.JobCancelView.as_view(), name="job-cancel"),
    path("api/jobs/<uuid:job_id>/zip", views.JobZipView.as_view(), name="job-zip"),
    path("api/jobs/<uuid:job_id>/variants", variants.VariantsView.as_view(), name="job-variants"),
    path("api/jobs/<uuid:job_id>/again", variants.AgainView.as_view(), name="job-again"),
    path("api/webhooks/", webhooks.WebhooksView.as_view(), name="webhooks"),
    path("api/webhooks/callback-secret", webhooks.CallbackSecretView.as_view(), name="callback-secret"),
    path("api/webhooks/deliveries/", webhooks.DeliveriesView.as_view(), name="webhook-deliveries"),
    path("api/webhooks/deliveries/<uuid:delivery_id>/", webhooks.DeliveryView.as_view(), name="webhook-delivery"),
    path(
        "api/webhooks/deliveries/<uuid:delivery_id>/replay",
        webhooks.DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
    path("api/webhooks/<uuid:webhook_id>/", webhooks.WebhookView.as_view(), name="webhook"),
    path("api/webhooks/<uuid:webhook_id>/rotate", webhooks.WebhookRotateView.as_view(), name="webhook-rotate"),
]
