"""Tests of single sign-on with SAML: signed responses, and an account at the first sign-in.

The user's groups at the provider determine the user's teams and permissions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from jobs.models import Membership
from jobs.running.checks import check_matting_settings
from jobs.teams import provider_outage
from mattingsite.environment import Environment
from mattingsite.sign_on import saml_apps
from tests.cast import Person
from tests.stack import ROOT, free_port
from tests.teams.saml_provider import ENTITY_ID, SSO_URL, Request, SamlProvider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget_outages() -> Iterator[None]:
    yield
    provider_outage.provider.forget()


LOGIN = "/accounts/saml/company/login/"
MICROSOFT = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"


@pytest.fixture(scope="module")
def provider() -> SamlProvider:
    return SamlProvider()


def variables_of(provider: SamlProvider, **more: str) -> dict[str, str]:
    return {
        "MATTING_SAML_SSO_URL": SSO_URL,
        "MATTING_SAML_ENTITY_ID": ENTITY_ID,
        "MATTING_SAML_CERTIFICATE": provider.certificate,
        "MATTING_SAML_EMAIL_DOMAINS": "example.com",
        **more,
    }


@pytest.fixture
def use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Return a function that configures the site for SAML with environment variables, given as a dict."""
    monkeypatch.setitem(registry.provider_map, "saml", SAMLProvider)
    settings.ROOT_URLCONF = "tests.teams.saml_urls"
    settings.MATTING_SIGNUP_OPEN = False
    settings.GROUP_TEAMS = ["designers=Design", "leads=Design:admin"]
    settings.GROUP_STAFF = ["ops=Operator"]

    def run(variables: dict[str, str]) -> None:
        apps = saml_apps(Environment(variables))
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"APPS": []},
            "saml": {"APPS": apps},
            "ldap": {"APPS": []},
        }

    return run


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *values: object) -> None:
        """Print nothing. This method replaces the server's log of requests."""


SignIn = Callable[..., Client]


def browser_of_a_person() -> Client:
    """Return a test client whose host name is `localhost`, which the site uses in its URLs."""
    return Client(headers={"host": "localhost"})


@pytest.fixture
def sign_in(provider: SamlProvider, use: Callable[[dict[str, str]], None]) -> SignIn:
    """Return a function that signs in a user through the provider, as a browser does."""
    use(variables_of(provider))

    def run(name: str, *groups: str, signer: SamlProvider = provider, **changes: object) -> Client:
        browser = browser_of_a_person()
        to_provider = browser.post(LOGIN)
        assert to_provider["Location"].startswith(f"{SSO_URL}?")
        attributes = {"groups": list(groups), "uid": [name], "mail": [f"{name}@example.com"]}
        form = signer.form(Request.of(to_provider["Location"]), name, attributes, **changes)
        finish(browser, form)
        return browser

    return run


def finish(browser: Client, form: dict[str, str]) -> str:
    """Post the provider's form without the site's cookies, as the provider's page does.

    Then follow the redirect with the user's browser, and return the page.
    """
    posted = browser_of_a_person().post("/accounts/saml/company/acs/", form)
    assert posted.status_code == 302
    browser.cookies.update(posted.cookies)
    return browser.get(posted["Location"], follow=True).content.decode()


def roles_of(name: str) -> dict[str, str]:
    return dict(Membership.objects.filter(user__username=name).values_list("team__name", "role"))


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def test_the_first_sign_in_creates_the_account_with_the_teams_of_its_groups(sign_in: SignIn) -> None:
    browser = sign_in("dana", "designers", "leads", "unmapped")

    assert browser.session["_auth_user_id"] == str(User.objects.get(username="dana").pk)
    assert User.objects.get(username="dana").email == "dana@example.com"
    assert roles_of("dana") == {"Design": "admin"}, "the strongest role, and no team of their own"


def test_every_sign_in_gives_and_takes_what_the_groups_say_now(sign_in: SignIn) -> None:
    browser = sign_in("dana", "designers", "ops")
    assert browser.get("/admin/").status_code == 200

    sign_in("dana", "leads")

    assert roles_of("dana") == {"Design": "admin"}
    assert User.objects.get(username="dana").is_staff is False


def test_without_a_mapped_group_there_is_no_account(sign_in: SignIn) -> None:
    assert not is_signed_in(sign_in("guest", "unmapped"))
    assert not User.objects.filter(username="guest").exists()


def test_an_address_of_a_domain_that_is_vouched_for_leads_to_the_account_that_has_it(
    sign_in: SignIn, alice: Person
) -> None:
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.com")

    browser = sign_in("alice", "designers")

    assert browser.session["_auth_user_id"] == str(alice.user.pk)
    assert set(roles_of("alice")) == {"Studio", "Design"}


def test_an_address_of_another_domain_does_not(
    sign_in: SignIn, use: Callable[[dict[str, str]], None], provider: SamlProvider, alice: Person
) -> None:
    use(variables_of(provider, MATTING_SAML_EMAIL_DOMAINS="elsewhere.example.com"))
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.com")

    sign_in("alice", "designers")

    assert set(roles_of("alice")) == {"Studio"}


@pytest.mark.parametrize(
    "changes",
    [
        {"signed": False},
        {"signer": SamlProvider()},
        {"audience": "https://another.example.com/metadata"},
        {"acs": "https://another.example.com/acs"},
        {"request": "_a-request-that-was-never-made"},
        {"issuer": "https://another.example.com/saml"},
        {"age_s": 3600},
    ],
    ids=["unsigned", "another key", "another site", "another address", "another request", "another issuer", "old"],
)
def test_a_response_that_is_not_meant_for_this_sign_in_is_refused(sign_in: SignIn, changes: dict[str, object]) -> None:
    assert not is_signed_in(sign_in("dana", "designers", **changes))
    assert not User.objects.filter(username="dana").exists()


def test_a_response_is_accepted_once_and_only_in_the_browser_that_asked(
    provider: SamlProvider, use: Callable[[dict[str, str]], None]
) -> None:
    use(variables_of(provider))
    browser = browser_of_a_person()
    request = Request.of(browser.post(LOGIN)["Location"])
    form = provider.form(request, "dana", {"groups": ["designers"], "uid": ["dana"]})

    other = browser_of_a_person()
    finish(other, form)
    assert not is_signed_in(other)

    finish(browser, form)
    assert is_signed_in(browser)
    browser.logout()
    finish(browser, form)
    assert not is_signed_in(browser)


def test_the_metadata_of_the_provider_is_enough(
    provider: SamlProvider, use: Callable[[dict[str, str]], None], tmp_path: Path
) -> None:
    (tmp_path / "metadata.xml").write_text(provider.metadata)
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        use({"MATTING_SAML_METADATA_URL": f"http://127.0.0.1:{server.server_port}/metadata.xml"})
        browser = browser_of_a_person()
        request = Request.of(browser.post(LOGIN)["Location"])
        finish(browser, provider.form(request, "dana", {"groups": ["designers"], "uid": ["dana"]}))
        server.shutdown()

    assert is_signed_in(browser)
    assert roles_of("dana") == {"Design": "member"}


def test_metadata_that_cannot_be_read_gets_a_page_and_not_an_error(use: Callable[[dict[str, str]], None]) -> None:
    use({"MATTING_SAML_METADATA_URL": f"http://127.0.0.1:{free_port()}/metadata.xml"})

    page = browser_of_a_person().post(LOGIN)

    assert page.status_code == 503
    assert "does not respond at the moment" in page.content.decode()


def test_names_of_attributes_are_settings(provider: SamlProvider, use: Callable[[dict[str, str]], None]) -> None:
    use(variables_of(provider, MATTING_SAML_ATTRIBUTES="username=login,email=address"))
    browser = browser_of_a_person()
    request = Request.of(browser.post(LOGIN)["Location"])
    said = {"login": ["eve"], "address": ["eve@example.com"], "groups": ["designers"]}

    finish(browser, provider.form(request, "7f3a", said))

    assert User.objects.get(username="eve").email == "eve@example.com"


def test_requests_are_signed_with_the_sites_own_key(
    provider: SamlProvider, use: Callable[[dict[str, str]], None]
) -> None:
    own = SamlProvider()
    use(variables_of(provider, MATTING_SAML_OWN_KEY=own.private_key, MATTING_SAML_OWN_CERTIFICATE=own.certificate))

    request = Request.of(browser_of_a_person().post(LOGIN)["Location"])

    assert request.parameters["Signature"]
    metadata = browser_of_a_person().get("/accounts/saml/company/metadata/").content.decode()
    assert "".join(own.certificate.splitlines()[1:-1]) in "".join(metadata.split())


def test_the_sign_in_page_offers_the_provider(provider: SamlProvider, use: Callable[[dict[str, str]], None]) -> None:
    use(variables_of(provider, MATTING_SAML_NAME="Company"))

    page = browser_of_a_person().get("/accounts/login/").content.decode()

    assert "Company" in page
    assert LOGIN in page


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"MATTING_SAML_ENTITY_ID": ""}, "MATTING_SAML_SSO_URL is set, and MATTING_SAML_ENTITY_ID is empty"),
        ({"MATTING_SAML_CERTIFICATE": ""}, "MATTING_SAML_SSO_URL is set, and MATTING_SAML_CERTIFICATE is empty"),
        ({"MATTING_SAML_CERTIFICATE": "MIIC"}, "MATTING_SAML_CERTIFICATE is not a certificate in PEM form"),
        ({"MATTING_SAML_OWN_KEY": "key"}, "MATTING_SAML_OWN_KEY is not a private key in PEM form"),
    ],
)
def test_wrong_settings_are_named(
    provider: SamlProvider, use: Callable[[dict[str, str]], None], variables: dict[str, str], told: str
) -> None:
    use(variables_of(provider))
    assert check_matting_settings(None) == []

    use(variables_of(provider, **variables))

    assert check_matting_settings(None)[0].msg.startswith(told)


@pytest.mark.slow
def test_environment_variables_alone_switch_it_on(provider: SamlProvider, tmp_path: Path) -> None:
    code = (
        "import django; django.setup(); from django.conf import settings; from django.urls import reverse;"
        "print(reverse('saml_acs', args=['company']), settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    )
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(provider.certificate)
    variables = variables_of(provider) | {
        "MATTING_SAML_CERTIFICATE": "",
        "MATTING_SAML_CERTIFICATE_FILE": str(certificate),
    }
    environment = os.environ | variables
    environment |= {
        "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        "MATTING_DATA_DIR": str(tmp_path),
        "ALLOWED_HOSTS": "*",
    }

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "/accounts/saml/company/acs/ [\"'self'\", 'https://login.example.com']", done.stderr
