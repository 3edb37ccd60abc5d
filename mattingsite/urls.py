"""URL patterns of the site: admin, health, files, APIs, accounts and pages."""

from django.contrib import admin
from django.urls import include, path

from jobs.api import health
from jobs.api.files import FileView
from jobs.api.registry import dialect_routes
from jobs.api.routes import route
from jobs.teams.sign_in import password_reset

urlpatterns = [
    path("admin/", admin.site.urls),
    route("health", health.health, name="health"),
    route("health/live", health.live, name="health-live"),
    route("health/ready", health.ready, name="health-ready"),
    path("files/<uuid:artifact_id>/<str:name>", FileView.as_view(), name="file"),
    path("", include("jobs.api.schema")),
    path("", include("jobs.api.native.urls")),
    *dialect_routes(),
    path("accounts/password/reset/", password_reset, name="account_reset_password"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("jobs.web.urls")),
]

handler404 = "jobs.web.missing.not_found"
