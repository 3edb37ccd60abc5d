"""Tests of a changed SECRET_KEY: signatures made with the old key stay valid while it is in SECRET_KEY_FALLBACKS."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from pytest_django import Settings

from jobs.api.baidu import tokens
from jobs.api.dashscope import upload_grants
from jobs.errors import AuthenticationRequired, PermissionDenied
from jobs.models import Artifact, Job
from jobs.results import storage
from tests.cast import Person

OLD_KEY, NEW_KEY = "the old key of this site", "the new key of this site"


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.SECRET_KEY = OLD_KEY


def rotate(settings: Settings, *, keep_old: bool) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [OLD_KEY] if keep_old else []


@pytest.mark.parametrize("keep_old", [True, False])
def test_a_session_lasts_over_a_rotation(alice: Person, settings: Settings, keep_old: bool) -> None:
    browser = alice.browser()

    rotate(settings, keep_old=keep_old)

    assert browser.get("/gallery/").status_code == (200 if keep_old else 302)


@pytest.mark.parametrize("keep_old", [True, False])
def test_a_signed_link_lasts_over_a_rotation(alice: Person, settings: Settings, keep_old: bool) -> None:
    job = Job.objects.create(team=alice.team, dialect=Job.Dialect.NATIVE, options={}, images_total=1)
    artifact = Artifact.objects.create(
        job=job, kind=Artifact.Kind.CUTOUT, key="a.png", content_type="image/png", bytes=1, sha256="0" * 64
    )
    signed = {name: values[0] for name, values in parse_qs(urlsplit(storage.link_to(artifact)).query).items()}

    rotate(settings, keep_old=keep_old)

    assert (storage.link_state(artifact.id, signed["until"], signed["signature"]) == "valid") is keep_old


def test_a_link_for_one_file_opens_no_other(alice: Person) -> None:
    signature = storage.signature_of("one:9999999999", salt="keyline.artifact")

    assert storage.link_state("other", "9999999999", signature) == "invalid"


@pytest.mark.parametrize("keep_old", [True, False])
def test_tokens_and_policies_last_over_a_rotation(alice: Person, settings: Settings, keep_old: bool) -> None:
    _, token = tokens.token_issue(public_id=alice.key.public_id, secret=alice.secret)
    grant = upload_grants.grant_issue(key=alice.key)
    name = f"{grant.directory}/photo.jpg"
    reset = default_token_generator.make_token(alice.user)

    rotate(settings, keep_old=keep_old)

    if keep_old:
        assert tokens.key_of_token(token) == alice.key
        assert upload_grants.granted_key(policy=grant.policy, signature=grant.signature, name=name) == alice.key
    else:
        with pytest.raises(AuthenticationRequired):
            tokens.key_of_token(token)
        with pytest.raises(PermissionDenied):
            upload_grants.granted_key(policy=grant.policy, signature=grant.signature, name=name)
    assert default_token_generator.check_token(alice.user, reset) is keep_old


def test_a_key_of_the_api_does_not_depend_on_the_secret(alice: Person, settings: Settings) -> None:
    rotate(settings, keep_old=False)

    assert Client(headers=alice.headers).get("/api/account").status_code == 200
