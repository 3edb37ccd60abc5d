"""Tests of the admin's pages: lists, filters, search, the dashboard, permissions, and numbers of database queries."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from jobs.models import Artifact, Job, JobImage, Status, UsageEntry
from jobs.work import queue
from jobs.work.removal import images_delete
from tests.cast import Person
from tests.quota.actions import claim, fail, submit, succeed

pytestmark = pytest.mark.django_db

JOBS = "/admin/jobs/job/"
LISTS = {
    "job": "jobs.view_job",
    "auditentry": "jobs.view_auditentry",
    "team": "jobs.view_team",
    "apikey": "jobs.view_apikey",
    "invitation": "jobs.view_invitation",
    "usageentry": "jobs.view_usageentry",
    "webhook": "jobs.view_webhook",
    "webhookdelivery": "jobs.view_webhookdelivery",
    "modelversion": "jobs.view_modelversion",
}


@pytest.mark.usefixtures("sample_jobs")
@pytest.mark.parametrize("model", LISTS)
@pytest.mark.slow
def test_every_list_opens(root: Client, model: str) -> None:
    assert root.get(f"/admin/jobs/{model}/").status_code == 200


@pytest.mark.usefixtures("sample_jobs")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?team__id__exact={job.team_id}",
        "?user__id__exact={job.user_id}",
        "?dialect__exact=web",
        "?status__exact=failed",
        "?error_code={failed.error_code}",
        "?created_at_from=2020-01-01&created_at_to=2090-01-01",
        "?q={job.id}",
    ],
)
@pytest.mark.slow
def test_the_job_list_takes_the_same_few_queries_whatever_the_filter(
    root: Client, django_assert_max_num_queries: Callable, query: str
) -> None:
    job, failed = Job.objects.filter(dialect="web").first(), Job.objects.filter(status="failed").first()
    root.get(JOBS)

    # Session, user, count, jobs, thumbnails; a filter adds the name that it shows, a search its five queries.
    with django_assert_max_num_queries(13 if "q=" in query else 7):
        page = root.get(JOBS + query.format(job=job, failed=failed))

    assert page.status_code == 200
    assert page.context["cl"].result_count > 0


@pytest.mark.usefixtures("sample_jobs")
def test_filters_leave_what_they_name(root: Client) -> None:
    code = Job.objects.filter(status="failed").first().error_code

    page = root.get(f"{JOBS}?status__exact=failed&error_code={code}")

    shown = set(page.context["cl"].queryset.values_list("pk", flat=True))
    assert shown == set(Job.objects.filter(error_code=code).values_list("pk", flat=True))


@pytest.mark.usefixtures("sample_jobs")
@pytest.mark.parametrize(
    "id_of",
    [
        lambda job: str(job.id),
        lambda job: job.id.hex,
        lambda job: str(job.id).upper(),
        lambda job: job.request_id,
        lambda job: f"  {job.external_id} ",
        lambda job: str(job.images.get().id),
        lambda job: str(job.artifacts.first().id),
        lambda job: "/" + job.artifacts.first().key,
    ],
    ids=["job", "without dashes", "upper case", "request id", "log_id", "picture", "file", "path"],
)
def test_a_job_is_found_by_any_id_that_a_caller_could_hold(root: Client, id_of: Callable[[Job], str]) -> None:
    job = Job.objects.exclude(external_id="").first()

    page = root.get(JOBS, {"q": id_of(job)})

    assert [found.pk for found in page.context["cl"].result_list] == [job.pk]


@pytest.mark.usefixtures("sample_jobs")
def test_an_unknown_id_finds_nothing(root: Client) -> None:
    page = root.get(JOBS, {"q": "123456"})

    assert page.context["cl"].result_count == 0


@pytest.mark.usefixtures("sample_jobs")
def test_the_list_shows_source_and_result_on_a_checkerboard(root: Client) -> None:
    page = root.get(f"{JOBS}?status__exact=succeeded").content.decode()

    assert page.count("kl-thumb kl-source") == page.count("kl-thumb kl-result") == 25
    thumbnail = Artifact.objects.filter(kind="source", job__status="succeeded").order_by("-job__created_at").first()
    picture = root.get(f"/admin/jobs/job/thumbnails/{thumbnail.pk}/")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/webp")


def test_the_list_shows_the_first_picture_that_is_left(root: Client, alice: Person) -> None:
    job = submit(alice, 3)
    for image in job.images.all():
        succeed(claim(image))
    second = job.images.get(position=1)
    images_delete(actor=alice.actor, images=JobImage.objects.filter(job=job, position=0))

    page = root.get(JOBS).content.decode()

    shown = second.artifacts.get(kind="thumbnail").pk
    assert re.findall(r"thumbnails/([^/]+)/", page) == [str(shown)]


def test_the_list_says_how_many_pictures_stand_behind_the_first(root: Client, alice: Person) -> None:
    submit(alice, 3)
    submit(alice, 1)

    page = root.get(JOBS).content.decode()

    assert re.findall(r'class="kl-more">([^<]+)<', page) == ["+2"]


@pytest.mark.usefixtures("sample_jobs")
def test_the_job_page_shows_timings_files_charges_and_trail(root: Client) -> None:
    job = Job.objects.filter(status="succeeded").first()

    page = root.get(f"{JOBS}{job.pk}/change/").content.decode()

    assert str(job.pk) in page
    for stage in ("queue", "decode", "model", "post", "encode"):
        assert f"kl-stage-{stage}" in page
    assert "<td>Submitted</td>" in page
    assert f"/admin/jobs/job/files/{job.artifacts.get(kind='cutout').pk}/" in page


def test_a_file_name_with_markup_stays_text(root: Client, alice: Person) -> None:
    job = submit(alice)
    JobImage.objects.filter(job=job).update(name='<script>alert(1)</script>"><img src=x>')

    page = root.get(f"{JOBS}{job.pk}/change/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_nothing_of_a_job_can_be_edited(root: Client, alice: Person) -> None:
    job = submit(alice)

    page = root.post(f"{JOBS}{job.pk}/change/", {"status": "succeeded"})

    job.refresh_from_db()
    assert page.status_code == 403
    assert job.status == Status.QUEUED
    assert root.get(f"{JOBS}add/").status_code == 403
    assert root.post(f"{JOBS}{job.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.usefixtures("sample_jobs")
def test_the_dashboard_shows_the_figures_of_the_site(root: Client) -> None:
    page = root.get("/admin/")

    board = page.context["board"]
    assert board["days"][-1].day == board["as_of"].date()
    assert sum(day.pictures for day in board["days"]) == sum(UsageEntry.objects.values_list("pictures", flat=True))
    assert sum(row["pictures"] for row in board["failures"]) <= JobImage.objects.filter(status="failed").count()
    assert [one.stage for one in board["stages"]] == ["queue", "fetch", "decode", "model", "post", "encode", "total"]
    assert all(one.p50_ms <= one.p95_ms for one in board["stages"])
    assert board["storage"][0]["bytes"] > 0
    assert board["users"][0]["user__username"].startswith("sample-")
    assert board["depths"] == dict.fromkeys(queue.QUEUES, 0)


def test_the_dashboards_links_lead_to_the_failed_jobs(root: Client, alice: Person) -> None:
    job = submit(alice)
    fail(claim(job.images.get()))

    page = root.get("/admin/").content.decode()

    assert f"{JOBS}?error_code=inference_failed" in page
    assert root.get(f"{JOBS}?error_code=inference_failed").context["cl"].result_count == 1


def test_the_policy_is_wider_for_the_admin_alone(root: Client) -> None:
    admin = root.get("/admin/")["Content-Security-Policy"]
    site = root.get("/accounts/login/")["Content-Security-Policy"]

    assert "script-src 'self' 'unsafe-eval'" in admin
    assert "'unsafe-inline'" not in admin.partition("script-src")[2].partition(";")[0]
    assert "unsafe" not in site


def test_staff_without_a_role_see_no_jobs(db: None) -> None:
    from .conftest import staff_browser

    browser = staff_browser("")

    assert browser.get(JOBS).status_code == 403
    assert "board" not in browser.get("/admin/").context


def test_who_is_no_staff_gets_no_page_of_the_admin(alice: Person) -> None:
    browser = alice.browser()

    for address in ("/admin/", JOBS, "/admin/jobs/auditentry/", "/admin/jobs/auditentry/export/csv/"):
        page = browser.get(address, follow=True)
        assert page.status_code == 403, address
