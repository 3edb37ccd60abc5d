"""The native API's addresses."""

from jobs.api.addresses import address

from . import account, uploads, variants, views, webhooks

urlpatterns = [
    address("api/account", account.AccountView.as_view(), name="account"),
    address("api/uploads/", uploads.UploadsView.as_view(), name="uploads"),
    address("api/jobs/", views.JobsView.as_view(), name="jobs"),
    address("api/jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    address("api/jobs/<uuid:job_id>/cancel", views.JobCancelView.as_view(), name="job-cancel"),
    address("api/jobs/<uuid:job_id>/zip", views.JobZipView.as_view(), name="job-zip"),
    address("api/jobs/<uuid:job_id>/variants", variants.VariantsView.as_view(), name="job-variants"),
    address("api/jobs/<uuid:job_id>/again", variants.AgainView.as_view(), name="job-again"),
    address("api/webhooks/", webhooks.WebhooksView.as_view(), name="webhooks"),
    address("api/webhooks/callback-secret", webhooks.CallbackSecretView.as_view(), name="callback-secret"),
    address("api/webhooks/deliveries/", webhooks.DeliveriesView.as_view(), name="webhook-deliveries"),
    address("api/webhooks/deliveries/<uuid:delivery_id>/", webhooks.DeliveryView.as_view(), name="webhook-delivery"),
    address(
        "api/webhooks/deliveries/<uuid:delivery_id>/replay",
        webhooks.DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
    address("api/webhooks/<uuid:webhook_id>/", webhooks.WebhookView.as_view(), name="webhook"),
    address("api/webhooks/<uuid:webhook_id>/rotate", webhooks.WebhookRotateView.as_view(), name="webhook-rotate"),
]
