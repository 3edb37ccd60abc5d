"""URL patterns of the native API."""

from jobs.api.routes import route

from . import account, backgrounds, recipes, uploads, variants, versions, views, webhooks

urlpatterns = [
    route("api/account", account.AccountView.as_view(), name="account"),
    route("api/uploads/", uploads.UploadsView.as_view(), name="uploads"),
    route("api/jobs/", views.JobsView.as_view(), name="jobs"),
    route("api/jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    route("api/jobs/<uuid:job_id>/cancel", views.JobCancelView.as_view(), name="job-cancel"),
    route("api/jobs/<uuid:job_id>/zip", views.JobZipView.as_view(), name="job-zip"),
    route("api/jobs/<uuid:job_id>/sheet", views.JobSheetView.as_view(), name="job-sheet"),
    route("api/jobs/<uuid:job_id>/variants", variants.VariantsView.as_view(), name="job-variants"),
    route("api/jobs/<uuid:job_id>/again", variants.AgainView.as_view(), name="job-again"),
    route("api/jobs/<uuid:job_id>/versions/", versions.VersionsView.as_view(), name="job-versions"),
    route("api/jobs/<uuid:job_id>/versions/<int:number>/", versions.VersionView.as_view(), name="job-version"),
    route("api/jobs/<uuid:job_id>/edit", versions.EditView.as_view(), name="job-edit"),
    route("api/recipes/", recipes.RecipesView.as_view(), name="recipes"),
    route("api/recipes/schema", recipes.RecipeSchemaView.as_view(), name="recipe-schema"),
    route("api/recipes/export", recipes.RecipesExportView.as_view(), name="recipes-export"),
    route("api/recipes/import", recipes.RecipesImportView.as_view(), name="recipes-import"),
    route("api/recipes/preview", recipes.RecipePreviewView.as_view(), name="recipe-preview"),
    route("api/recipes/<slug:name>/", recipes.RecipeView.as_view(), name="recipe"),
    route("api/recipes/<slug:name>/versions", recipes.RecipeVersionsView.as_view(), name="recipe-versions"),
    route("api/backgrounds/", backgrounds.BackgroundsView.as_view(), name="backgrounds"),
    route("api/backgrounds/<str:name>/", backgrounds.BackgroundView.as_view(), name="background"),
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
