"""URL patterns of the pages."""

from django.urls import path

from jobs.web import (
    again,
    drafts,
    gallery,
    keys,
    membership,
    picture,
    presets,
    problems,
    recipes,
    selection,
    share,
    status,
    studio,
    team,
    texts,
    trial,
    usage,
    webhooks,
)

app_name = "site"
urlpatterns = [
    path("", studio.StudioView.as_view(), name="home"),
    path("try/", trial.TrialView.as_view(), name="trial"),
    path("submit", studio.SubmitView.as_view(), name="submit"),
    path("gallery/", gallery.GalleryView.as_view(), name="gallery"),
    path("gallery/selection", selection.SelectionView.as_view(), name="selection"),
    path("gallery/original/<uuid:image_id>", picture.OriginalView.as_view(), name="original"),
    path("gallery/again", again.AgainView.as_view(), name="again"),
    path("jobs/<uuid:job_id>/cancel", selection.CancelView.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry", selection.RetryView.as_view(), name="job-retry"),
    path("jobs/<uuid:job_id>/zip", selection.ZipView.as_view(), name="job-zip"),
    path("jobs/<uuid:job_id>/", picture.JobView.as_view(), name="job"),
    path("jobs/<uuid:job_id>/<int:position>/", picture.PictureView.as_view(), name="picture"),
    path("jobs/<uuid:job_id>/<int:position>/draft", drafts.DraftView.as_view(), name="draft"),
    path("docs/errors", problems.ProblemsView.as_view(), name="problems"),
    path("shared/<uuid:artifact_id>/", share.ShareView.as_view(), name="shared"),
    path("status/", status.StatusView.as_view(), name="status"),
    path("usage/", usage.UsageView.as_view(), name="usage"),
    path("invitations/<str:token>/", membership.InvitationView.as_view(), name="invitation"),
    path("team/switch", membership.TeamSwitchView.as_view(), name="team-switch"),
    path("team/", team.TeamView.as_view(), name="team"),
    path("texts.js", texts.catalogue, name="texts"),
    path("presets", presets.PresetsView.as_view(), name="presets"),
    path("recipes/", recipes.RecipesView.as_view(), name="recipes"),
    path("keys/", keys.KeysView.as_view(), name="keys"),
    path("webhooks/", webhooks.WebhooksView.as_view(), name="webhooks"),
]
