"""The native API's routes."""

from jobs.api.routes import route

from . import account, uploads, variants, versions, views, webhooks

urlpatterns = [
    route("api/account", account.AccountView.as_view(), name="account"),
    route("api/uploads/", uploads.UploadsView.as_view(), name="uploads"),
    route("api/jobs/", views.JobsView.as_view(), name="jobs"),
    route("api/jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    route("api/jobs/<uuid:job_id>/cancel", views.JobCancelView.as_view(), name="job-cancel"),
    route("api/jobs/<uuid:job_id>/zip", views.JobZipView.as_view(), name="job-zip"),
    route("api/jobs/<uuid:job_id>/variants", variants.VariantsView.as_view(), name="job-variants"),
    route("api/jobs/<uuid:job_id>/again", variants.AgainView.as_view(), name="job-again"),
    route("api/jobs/<uuid:job_id>/versions/", versions.VersionsView.as_view(), name="job-versions"),
    route("api/jobs/<uuid:job_id>/versions/<int:number>/", versions.VersionView.as_view(), name="job-version"),
    route("api/jobs/<uuid:job_id>/edit", versions.EditView.as_view(), name="job-edit"),
    route("api/webhooks/", webhooks.WebhooksView.as_view(), name="webhooks"),
    route("api/webhooks/callback-secret", webhooks.CallbackSecretView.as_view(), name="callback-secret"),
    route("api/webhooks/deliveries/", webhooks.DeliveriesView.as_view(), name="webhook-deliveries"),
    route("api/webhooks/deliveries/<uuid:delivery_id>/", webhooks.DeliveryView.as_view(), name="webhook-delivery"),
    route(
        "api/webhooks/deliveries/<uuid:delivery_id>/replay",
        webhooks.DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
    route("api/webhooks/<uuid:webhook_id>/", webhooks.WebhookView.as_view(), name="webhook"),
    route("api/webhooks/<uuid:webhook_id>/rotate", webhooks.WebhookRotateView.as_view(), name="webhook-rotate"),
]
