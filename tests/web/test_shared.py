"""Tests of shared links, the status page, and the texts of empty pages."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from jobs.models import Artifact
from jobs.results import storage
from tests.cast import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def cutout(alice: Person, jpeg_bytes, instant_worker) -> Artifact:
    alice.browser().post(reverse("site:submit"), {"image": SimpleUploadedFile("bag.jpg", jpeg_bytes)})
    return Artifact.objects.get(kind=Artifact.Kind.CUTOUT)


def page_of(artifact: Artifact) -> str:
    query = storage.link_to(artifact).partition("?")[2]
    return f"{reverse('site:shared', args=[artifact.id])}?{query}"


def test_a_stranger_with_the_link_sees_the_picture_its_name_and_a_download(client, cutout: Artifact):
    answer = client.get(page_of(cutout))

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "bag.jpg" in text
    assert "download=1" in text
    assert answer["Referrer-Policy"] == "no-referrer"


def test_the_download_of_the_page_is_the_file(client, cutout: Artifact):
    link = client.get(page_of(cutout)).context["file_url"]

    assert client.get(link)["Content-Type"] == cutout.content_type


@pytest.mark.parametrize("query", ["", "?until=1&signature=x", "?until=99999999999&signature=forged"])
def test_an_expired_or_forged_link_gets_a_page_that_says_what_to_do(client, cutout: Artifact, query: str):
    answer = client.get(reverse("site:shared", args=[cutout.id]) + query)

    assert answer.status_code == 410
    assert "Ask the person who sent it" in answer.content.decode()


def test_a_deleted_picture_gets_the_same_page(client, cutout: Artifact):
    page = page_of(cutout)
    cutout.delete()

    assert client.get(page).status_code == 410


def test_the_status_page_names_what_is_out_of_order_but_not_why(client, db):
    answer = client.get(reverse("site:status"))  # no worker runs in this test

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Out of order" in text
    assert "Something does not work" in text


def test_an_invitation_that_is_no_longer_valid_leads_on(client, db):
    text = client.get(reverse("site:invitation", args=["gone"])).content.decode()

    assert reverse("site:home") in text
    assert reverse("account_login") in text


def test_every_page_of_a_member_has_one_heading_of_the_first_level(alice: Person, cutout: Artifact):
    pages = ["home", "gallery", "usage", "keys", "webhooks", "team", "status"]

    counts = {page: alice.browser().get(reverse(f"site:{page}")).content.count(b"<h1") for page in pages}

    assert counts == dict.fromkeys(pages, 1)


def test_the_editor_offers_clicks_only_where_the_model_takes_them(alice: Person, cutout: Artifact, settings, tmp_path):
    page = reverse("site:job", args=[cutout.job_id])
    assert b'data-tool="points"' in alice.browser().get(page).content

    settings.MATTING_WEIGHTS = settings.SHIPPED_WEIGHTS = tmp_path / "boxes-only.safetensors"

    assert b'data-tool="points"' not in alice.browser().get(page).content
