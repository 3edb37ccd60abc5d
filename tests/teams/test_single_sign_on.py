"""Tests of single sign-on with OpenID Connect, with a real provider, and of accounts at the first sign-in.

The user's groups at the provider determine the user's teams and permissions.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from jobs.models import AuditEntry, Membership, Team
from jobs.running.checks import check_matting_settings
from jobs.teams import provider_outage
from tests.cast import Person
from tests.stack import ROOT, free_port

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from oidc_provider_mock import run_server_in_thread

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget_outages() -> Iterator[None]:
    yield
    provider_outage.provider.forget()


LOGIN = "/accounts/oidc/oidc/login/"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Yield the URL of an OpenID Connect provider that runs in a thread of this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with run_server_in_thread() as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def site(provider: str, settings: Settings) -> None:
    settings.GROUP_TEAMS = ["designers=Design", "leads=Design:admin", "shop=Shop floor"]
    settings.GROUP_STAFF = ["ops=Operator", "it=superuser"]
    app = {
        "provider_id": "oidc",
        "name": "Company",
        "client_id": "keyline",
        "secret": "secret",
        "settings": {"server_url": provider, "oauth_pkce_enabled": True},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}


SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(provider: str, site: None) -> SignIn:
    """Return a function that signs in a user through the provider, as a browser does."""

    def run(sub: str, *groups: str, **claims: object) -> Client:
        everything = {"email": f"{sub}@example.com", "email_verified": True, "preferred_username": sub, **claims}
        user = {**everything, "groups": list(groups)}
        requests.put(f"{provider}/users/{sub}", json=user, timeout=10).raise_for_status()
        browser = Client()
        to_provider = browser.post(LOGIN)
        assert to_provider.status_code == 302
        back = requests.post(to_provider["Location"], data={"sub": sub}, allow_redirects=False, timeout=10)
        parts = urlsplit(back.headers["Location"])
        done = browser.get(f"{parts.path}?{parts.query}")
        assert done.status_code < 400, done.content[:500]
        return browser

    return run


def roles_of(name: str) -> dict[str, str]:
    return dict(Membership.objects.filter(user__username=name).values_list("team__name", "role"))


def test_the_first_sign_in_creates_the_account_with_the_teams_of_its_groups(sign_in: SignIn) -> None:
    browser = sign_in("dana", "designers", "leads", "unmapped")

    assert browser.session["_auth_user_id"] == str(User.objects.get(username="dana").pk)
    assert roles_of("dana") == {"Design": "admin"}, "the strongest role, and no team of their own"
    assert User.objects.get(username="dana").has_usable_password() is False


def test_every_sign_in_gives_and_takes_what_the_groups_say_now(sign_in: SignIn) -> None:
    sign_in("dana", "designers", "ops")
    Membership.objects.create(team=Team.objects.create(name="By hand"), user=User.objects.get(username="dana"))

    sign_in("dana", "shop")

    assert roles_of("dana") == {"Shop floor": "member", "By hand": "member"}
    user = User.objects.get(username="dana")
    assert (user.is_staff, list(user.groups.all())) == (False, [])
    changed = AuditEntry.objects.filter(action="member.role_changed", object_name="dana").first()
    assert (changed.before, changed.after) == ({"staff": ["Operator"]}, {"staff": []})


def test_groups_give_rights_in_the_admin(sign_in: SignIn) -> None:
    browser = sign_in("olga", "ops")

    assert list(User.objects.get(username="olga").groups.values_list("name", flat=True)) == ["Operator"]
    assert browser.get("/admin/").status_code == 200
    sign_in("ian", "it")
    assert User.objects.get(username="ian").is_superuser


def test_a_verified_address_leads_to_the_account_that_has_it(sign_in: SignIn, alice: Person) -> None:
    browser = sign_in("a.lice", "designers", email=alice.user.email)

    assert browser.session["_auth_user_id"] == str(alice.user.pk)
    assert set(roles_of("alice")) == {"Studio", "Design"}


def test_an_address_that_the_provider_has_not_verified_leads_to_no_account(sign_in: SignIn, alice: Person) -> None:
    sign_in("mallory", "designers", email=alice.user.email, email_verified=False)

    assert set(roles_of("alice")) == {"Studio"}


def test_without_a_mapped_group_an_account_needs_open_sign_up(sign_in: SignIn, settings: Settings) -> None:
    settings.MATTING_SIGNUP_OPEN = False
    browser = sign_in("guest", "unmapped")
    assert "_auth_user_id" not in browser.session
    assert not User.objects.filter(username="guest").exists()

    settings.MATTING_SIGNUP_OPEN = True
    sign_in("guest", "unmapped")
    assert roles_of("guest") == {"guest": "owner"}


def test_a_provider_that_is_away_gets_a_page_and_not_an_error(site: None, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = (
        f"http://127.0.0.1:{free_port()}"
    )

    page = Client().post(LOGIN)

    assert page.status_code == 503
    assert "does not respond at the moment" in page.content.decode()


def test_the_sign_in_page_offers_the_provider(site: None) -> None:
    page = Client().get("/accounts/login/").content.decode()

    assert "Company" in page
    assert LOGIN in page


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("GROUP_TEAMS", ["designers"], "MATTING_GROUP_TEAMS: designers must be such as"),
        ("GROUP_STAFF", ["ops=Boss"], "MATTING_GROUP_STAFF: ops=Boss must be such as"),
        ("GROUP_TEAMS", ["designers=Design"], "MATTING_GROUP_TEAMS is set, and no single sign-on is"),
    ],
)
def test_wrong_settings_are_named(settings: Settings, name: str, value: list[str], told: str) -> None:
    setattr(settings, name, value)

    assert any(error.msg.startswith(told) for error in check_matting_settings(None))


@pytest.mark.slow
def test_environment_variables_alone_switch_it_on(tmp_path: Path) -> None:
    code = (
        "import django; django.setup(); from django.conf import settings;"
        "print(settings.SOCIALACCOUNT_PROVIDERS['openid_connect']['APPS'][0]['client_id'],"
        "settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        "MATTING_DATA_DIR": str(tmp_path),
        "MATTING_OIDC_URL": "https://login.example.com/realms/shop",
        "MATTING_OIDC_CLIENT_ID": "keyline",
        "MATTING_OIDC_CLIENT_SECRET": "secret",
    }

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "keyline [\"'self'\", 'https://login.example.com']"


@pytest.mark.slow
def test_without_their_settings_no_optional_package_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys, django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns;"
        "from jobs.running.checks import check_matting_settings; assert check_matting_settings(None) == [];"
        "print({'ldap', 'onelogin', 'xmlsec', 'sentry_sdk'} & set(sys.modules))"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "mattingsite.settings", "MATTING_DATA_DIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
