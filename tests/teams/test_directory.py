"""Tests of sign-in with the password of an LDAP directory, with a real OpenLDAP server and the site's form.

The groups in the directory determine the teams of a user.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from jobs.models import AuditEntry, Membership
from jobs.running.checks import check_matting_settings
from jobs.teams.directory.person import DirectoryPerson, DirectoryUnavailable
from mattingsite.environment import Environment
from mattingsite.sign_on import Directory, ldap_apps
from tests.cast import Person
from tests.jobs.fetch.certificates import Authority
from tests.ldap_server import PASSWORD, LdapServer, running_ldap
from tests.stack import free_port

pytestmark = pytest.mark.django_db
search = pytest.importorskip("jobs.teams.directory.search", reason="run .ci/ldap", exc_type=ImportError)

LOGIN = "/accounts/login/"
AWAY = "Passwords cannot be checked at the moment"
PEOPLE = {
    "dana": {"mail": "dana@example.com", "givenName": "Dana"},
    "olga": {},
    "alice": {"mail": "alice@example.com"},
    "a*(b)": {"mail": "odd@example.com"},
    "twin1": {"mail": "twin@example.com"},
    "twin2": {"mail": "twin@example.com"},
}
GROUPS = {"designers": ["dana", "alice"], "posix-ops": ["olga"], "leads": ["dana"], "unmapped": ["a*(b)"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    with running_ldap(tmp_path_factory.mktemp("ldap"), PEOPLE, GROUPS) as running:
        yield running


@pytest.fixture(autouse=True)
def forget_outages() -> Iterator[None]:
    yield
    search.service.forget()


@pytest.fixture
def use(settings: Settings) -> Callable[[Directory], None]:
    """Return a function that configures the site to use an LDAP directory."""

    def run(directory: Directory, *, vouches: bool = True) -> None:
        settings.LDAP_DIRECTORY = directory
        variables = {"MATTING_LDAP_EMAIL_DOMAINS": "example.com"} if vouches else {}
        apps = ldap_apps(Environment(variables), directory)
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"APPS": []},
            "saml": {"APPS": []},
            "ldap": {"APPS": apps},
        }
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS,
            "jobs.teams.directory.backend.DirectoryBackend",
        ]
        settings.GROUP_TEAMS = ["designers=Design", "leads=Design:admin"]
        settings.GROUP_STAFF = ["posix-ops=Operator"]
        settings.MATTING_SIGNUP_OPEN = False

    return run


@pytest.fixture
def site(server: LdapServer, use: Callable[[Directory], None]) -> Directory:
    use(server.directory)
    return server.directory


def sign_in(name: str, password: str = PASSWORD) -> Client:
    browser = Client()
    page = browser.post(LOGIN, {"login": name, "password": password})
    assert AWAY not in page.content.decode()
    return browser


def signed_in(browser: Client) -> str | None:
    """Return the name of the signed-in user; None if there is none."""
    key = browser.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


def roles_of(name: str) -> dict[str, str]:
    return dict(Membership.objects.filter(user__username=name).values_list("team__name", "role"))


def test_the_first_sign_in_creates_the_account_with_the_teams_of_its_groups(site: Directory) -> None:
    browser = sign_in("dana")

    assert signed_in(browser) == "dana"
    assert roles_of("dana") == {"Design": "admin"}, "the strongest role, and no team of their own"
    user = User.objects.get(username="dana")
    assert (user.first_name, user.email, user.has_usable_password()) == ("Dana", "dana@example.com", False)
    assert SocialAccount.objects.get(user=user).provider == "ldap"
    assert AuditEntry.objects.filter(action="user.signed_up", object_name="dana").count() == 1


def test_a_second_sign_in_finds_the_account_also_by_its_address(site: Directory) -> None:
    sign_in("dana")
    Membership.objects.filter(user__username="dana").delete()

    browser = sign_in("dana@example.com")

    assert signed_in(browser) == "dana"
    assert User.objects.filter(email="dana@example.com").count() == 1
    assert roles_of("dana") == {"Design": "admin"}


def test_groups_give_rights_in_the_admin_and_take_them_back(site: Directory, settings: Settings) -> None:
    browser = sign_in("olga")
    assert browser.get("/admin/").status_code == 200

    settings.GROUP_STAFF = ["another-group=Operator"]
    sign_in("olga")

    assert User.objects.get(username="olga").is_staff is False


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("dana", "wrong"),
        ("dana", ""),
        ("unknown", PASSWORD),
        ("*", PASSWORD),
        ("dana)(uid=*", PASSWORD),
        ("twin@example.com", PASSWORD),
        ("a*(b)", PASSWORD),
    ],
    ids=["wrong", "empty", "unknown", "wildcard", "injection", "ambiguous", "without a mapped group"],
)
def test_no_account_without_the_password_and_a_mapped_group(site: Directory, name: str, password: str) -> None:
    assert signed_in(sign_in(name, password)) is None
    assert not SocialAccount.objects.exists()


def test_a_name_with_brackets_is_found_where_anybody_may_have_an_account(site: Directory, settings: Settings) -> None:
    settings.MATTING_SIGNUP_OPEN = True

    browser = sign_in("a*(b)")

    assert User.objects.get(pk=browser.session["_auth_user_id"]).email == "odd@example.com"


def test_wrong_passwords_lock_the_name_out(site: Directory, settings: Settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in("dana", "wrong")

    assert signed_in(sign_in("dana")) is None
    assert AuditEntry.objects.filter(action="user.locked_out").exists()


def test_an_address_that_the_directory_vouches_for_leads_to_the_account_that_has_it(
    site: Directory, alice: Person
) -> None:
    EmailAddress.objects.create(user=alice.user, email="alice@example.com", verified=True, primary=True)
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.com")

    assert signed_in(sign_in("alice", PASSWORD)) == "alice"
    assert set(roles_of("alice")) == {"Studio", "Design"}


def test_otherwise_the_same_name_and_address_are_no_reason_to_get_the_account(
    server: LdapServer, use: Callable[..., None], alice: Person
) -> None:
    use(server.directory, vouches=False)
    EmailAddress.objects.create(user=alice.user, email="alice@example.com", verified=True, primary=True)
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.com")

    browser = sign_in("alice", PASSWORD)

    assert signed_in(browser) not in (None, "alice")
    assert set(roles_of("alice")) == {"Studio"}
    assert User.objects.get(pk=browser.session["_auth_user_id"]).email == ""


def test_an_account_that_is_not_active_stays_out(site: Directory) -> None:
    sign_in("dana")
    User.objects.filter(username="dana").update(is_active=False)

    assert signed_in(sign_in("dana")) is None


def test_member_of_and_tls_from_the_first_byte_work_as_well(server: LdapServer) -> None:

    directory = replace(server.directory, url=server.secure_url, groups="")

    person = search.person_sign_in(directory, name="dana", password=PASSWORD)

    assert isinstance(person, DirectoryPerson)
    assert person.groups == ["designers", "leads"]
    assert len(person.uid) == 36


def test_a_certificate_of_another_authority_is_refused(server: LdapServer, tmp_path: Path) -> None:
    other = replace(server.directory, ca_certificates=str(Authority(tmp_path).certificate_path))

    with pytest.raises(DirectoryUnavailable):
        search.person_sign_in(other, name="dana", password=PASSWORD)


def test_a_directory_that_is_away_is_told_and_counts_no_failure(
    server: LdapServer, use: Callable[[Directory], None], settings: Settings
) -> None:
    use(replace(server.directory, url=f"ldap://127.0.0.1:{free_port()}"))

    for _ in range(settings.AXES_FAILURE_LIMIT + 1):
        page = Client().post(LOGIN, {"login": "dana", "password": PASSWORD})

    assert AWAY in page.content.decode()
    assert not AuditEntry.objects.filter(action="user.locked_out").exists()


def test_passwords_of_this_site_work_and_are_counted_while_the_directory_is_away(
    server: LdapServer, use: Callable[[Directory], None], settings: Settings, alice: Person
) -> None:
    use(replace(server.directory, url=f"ldap://127.0.0.1:{free_port()}"))
    alice.user.set_password(PASSWORD)
    alice.user.save()

    assert signed_in(sign_in("alice")) == "alice"
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in("alice", "wrong")
    assert signed_in(sign_in("alice")) is None


def test_a_directory_that_accepts_connections_and_never_answers_costs_seconds(
    server: LdapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "TIMEOUT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        directory = replace(server.directory, url=f"ldap://127.0.0.1:{silent.getsockname()[1]}", start_tls=False)

        with pytest.raises(DirectoryUnavailable):
            search.person_sign_in(directory, name="dana", password=PASSWORD)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"people": ""}, "MATTING_LDAP_URL is set, and MATTING_LDAP_PEOPLE is empty"),
        ({"people_filter": "uid={name}"}, "MATTING_LDAP_PEOPLE_FILTER=uid={name} must be a filter"),
        ({"groups_filter": "(member=dana)"}, "MATTING_LDAP_GROUPS_FILTER=(member=dana) must be a filter"),
        ({"bind_password": ""}, "MATTING_LDAP_BIND_DN and MATTING_LDAP_BIND_PASSWORD must be set together"),
        ({"ca_certificates": "/nowhere"}, "MATTING_LDAP_CA_CERTIFICATES=/nowhere is not a file"),
    ],
)
def test_wrong_settings_are_named(
    server: LdapServer, use: Callable[[Directory], None], changes: dict[str, str], told: str
) -> None:
    use(server.directory)
    assert check_matting_settings(None) == []

    use(replace(server.directory, **changes))

    assert [error.msg.startswith(told) for error in check_matting_settings(None)] == [True]
