"""The native API's addresses."""

from django.urls import path

from . import variants, views

urlpatterns = [
    path("api/jobs/", views.JobsView.as_view(), name="jobs"),
    path("api/jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    path("api/jobs/<uuid:job_id>/cancel", views.JobCancelView.as_view(), name="job-cancel"),
    path("api/jobs/<uuid:job_id>/variants", variants.VariantsView.as_view(), name="job-variants"),
]
