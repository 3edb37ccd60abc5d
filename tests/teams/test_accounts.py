"""Tests of accounts in the browser: sign-up, sign-in, password reset, verification, lock-out and the second factor."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.test import Client
from pytest_django import Settings

from jobs.models import AuditEntry, Membership
from jobs.quota.limits import quota_of
from jobs.running.shared_cache import SharedCache
from jobs.teams.invitations import invitation_create
from jobs.work import queue
from tests.cast import PASSWORD, Person

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a long sentence of five words"


@pytest.fixture(autouse=True)
def _forget_rates() -> None:
    cache.clear()


@pytest.fixture
def mail(settings: Settings) -> None:
    """Configure the site as if EMAIL_URL were set. Sent mails are stored in memory."""
    settings.EMAIL_IS_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]


def sign_up(browser: Client, name: str = "dora", **changes: str) -> object:
    fields = {"username": name, "email": f"{name}@example.com", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    return browser.post("/accounts/signup/", fields | changes)


def sign_in(browser: Client, name: str, password: str) -> object:
    return browser.post("/accounts/login/", {"login": name, "password": password})


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def actions_of(name: str) -> list[str]:
    return list(AuditEntry.objects.filter(actor_name=name).order_by("number").values_list("action", flat=True))


def test_signing_up_makes_a_team_of_ones_own_and_signs_in(client: Client) -> None:
    sign_up(client)

    membership = Membership.objects.get(user__username="dora")
    assert (membership.team.name, membership.role) == ("dora", Membership.Role.OWNER)
    assert is_signed_in(client)
    assert actions_of("dora") == ["team.created", "quota.changed", "user.signed_up", "user.signed_in"]


def test_a_team_that_anybody_may_create_has_a_quota(client: Client, settings: Settings) -> None:
    settings.MATTING_QUOTA = settings.MATTING_QUOTA | {"images_per_day": 50}
    settings.MATTING_SIGNUP_QUOTA = {"images_per_day": 200, "stored_bytes": 1000}

    sign_up(client)

    quota = quota_of(Membership.objects.get(user__username="dora").team)
    assert (quota.images_per_day, quota.stored_bytes) == (50, 1000)
    assert quota.requests_per_second == settings.MATTING_QUOTA["requests_per_second"]


def test_a_site_that_is_open_to_all_may_lift_these_limits(client: Client, settings: Settings) -> None:
    settings.MATTING_SIGNUP_QUOTA = {"images_per_day": None, "stored_bytes": None}

    sign_up(client)

    quota = quota_of(Membership.objects.get(user__username="dora").team)
    assert (quota.images_per_day, quota.stored_bytes) == (None, None)


def test_a_personal_team_finds_a_free_name(client: Client, alice: Person) -> None:
    sign_up(client, "Studio")

    assert Membership.objects.get(user__username="Studio").team.name == "Studio 2"


def test_closed_sign_up_makes_no_account(client: Client, settings: Settings) -> None:
    settings.MATTING_SIGNUP_OPEN = False

    page = sign_up(client)

    assert b"closed" in page.content.lower()
    assert not User.objects.filter(username="dora").exists()


def test_an_invitation_opens_a_closed_sign_up_and_then_its_team(
    client: Client, settings: Settings, alice: Person
) -> None:
    settings.MATTING_SIGNUP_OPEN = False
    _, token = invitation_create(actor=alice.actor)
    assert client.get(f"/invitations/{token}/").status_code == 200

    sign_up(client)
    client.post(f"/invitations/{token}/")

    roles = dict(Membership.objects.filter(user__username="dora").values_list("team__name", "role"))
    assert roles == {"dora": "owner", "Studio": "member"}
    assert client.session["team_id"] == str(alice.team.pk)


@pytest.mark.parametrize("name", ["alice", "alice@example.com", "ALICE@example.com"])
def test_signing_in_works_with_the_name_and_with_the_address(client: Client, alice: Person, name: str) -> None:
    sign_in(client, name, PASSWORD)

    assert is_signed_in(client)


def test_a_failed_sign_in_is_recorded_with_name_and_address(client: Client, alice: Person) -> None:
    sign_in(client, "alice", "wrong")

    entry = AuditEntry.objects.get(action="user.sign_in_failed")
    assert (entry.actor_name, entry.address) == ("alice", "127.0.0.1")
    assert "wrong" not in str(entry.content())


def test_repeated_failures_lock_the_account_for_that_address_even_with_the_right_password(
    client: Client, alice: Person
) -> None:
    for _ in range(5):
        page = sign_in(client, "alice", "wrong")

    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0
    assert sign_in(client, "alice", PASSWORD).status_code == 429
    assert not is_signed_in(client)
    assert "user.locked_out" in actions_of("alice")


def test_a_lock_out_by_a_stranger_does_not_lock_the_owner_out_elsewhere(alice: Person) -> None:
    stranger, owner = Client(REMOTE_ADDR="203.0.113.9"), Client(REMOTE_ADDR="198.51.100.7")
    for _ in range(6):
        sign_in(stranger, "alice", "wrong")

    sign_in(owner, "alice", PASSWORD)

    assert is_signed_in(owner)


def test_upper_case_does_not_give_five_more_tries(client: Client, alice: Person) -> None:
    for name in ("alice", "Alice", "ALICE", "aLice", "alIce"):
        page = sign_in(client, name, "wrong")

    assert page.status_code == 429


def test_the_admin_has_no_sign_in_of_its_own(client: Client) -> None:
    page = client.get("/admin/login/?next=/admin/")

    assert page.status_code == 302
    assert page["Location"].startswith("/accounts/login/")


def test_a_password_reset_sends_a_link_that_sets_a_new_one(
    client: Client, alice: Person, mail: None, mailoutbox: list
) -> None:
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    link = re.search(r"http://testserver(/\S+)", mailoutbox[0].body)[1]
    form = client.get(link, follow=True)

    client.post(form.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    alice.user.refresh_from_db()
    assert alice.user.check_password(NEW_PASSWORD)
    assert "user.password_changed" in actions_of("alice")


def test_without_mail_the_reset_page_says_who_can_help(client: Client) -> None:
    page = client.get("/accounts/password/reset/")

    assert b"sends no e-mail" in page.content


def test_with_mail_an_address_is_verified_before_the_first_sign_in(
    client: Client, mail: None, mailoutbox: list
) -> None:
    sign_up(client)
    assert not is_signed_in(client)

    link = re.search(r"http://testserver(/\S+)", mailoutbox[0].body)[1]
    client.post(link)
    sign_in(client, "dora", NEW_PASSWORD)

    assert is_signed_in(client)


def test_with_mail_an_account_that_an_operator_made_without_address_still_signs_in(client: Client, mail: None) -> None:
    User.objects.create_superuser("operator", password=PASSWORD)

    sign_in(client, "operator", PASSWORD)

    assert is_signed_in(client)


def test_a_second_factor_is_asked_for_after_the_password(client: Client, alice: Person) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice.user, secret)
    assert Authenticator.objects.filter(user=alice.user).exists()

    page = sign_in(client, "alice", PASSWORD)
    assert page["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_signed_in(client)

    client.post(page["Location"], {"code": "000000"})
    assert not is_signed_in(client)


def test_codes_of_a_second_factor_cannot_be_guessed_one_after_another(client: Client, alice: Person) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice.user, secret)
    page = sign_in(client, "alice", PASSWORD)
    for _ in range(7):
        client.post(page["Location"], {"code": "000000"})
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))

    client.post(page["Location"], {"code": code})
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    elsewhere.post(sign_in(elsewhere, "alice", PASSWORD)["Location"], {"code": code})

    assert not is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert actions_of("alice").count("user.factor_failed") == 5


def test_the_right_code_opens_after_a_wrong_one(client: Client, alice: Person) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice.user, secret)
    page = sign_in(client, "alice", PASSWORD)
    client.post(page["Location"], {"code": "000000"})

    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    client.post(page["Location"], {"code": code})

    assert is_signed_in(client)


def test_behind_a_proxy_a_stranger_s_tries_do_not_count_for_others(settings: Settings, bob: Person) -> None:
    settings.BEHIND_PROXY = True
    stranger, owner = (
        Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": address})
        for address in ("198.51.100.1", "203.0.113.7")
    )
    for number in range(31):
        refused = sign_in(stranger, f"unknown{number}", "wrong")

    sign_in(owner, "bob", PASSWORD)

    assert refused.status_code == 429
    assert is_signed_in(owner)


def test_tries_are_counted_for_all_web_processes_and_beside_the_queue(settings: Settings) -> None:
    one, other = caches.create_connection("default"), caches.create_connection("default")
    queue.connection().set("a message", "waits")

    one.set("tries", [1.5], 60)

    assert other.get("tries") == [1.5]
    other.clear()
    assert one.get("tries") is None
    assert queue.connection().get("a message") == b"waits"


def test_without_redis_tries_are_counted_by_each_process() -> None:
    cache = SharedCache("unix:///nowhere/redis.sock", {})

    assert cache.add("tries", 1)
    assert not cache.add("tries", 2)
    assert cache.get("tries") == 1


def test_adding_a_second_factor_asks_for_the_password_again_and_is_recorded(
    client: Client, alice: Person, django_capture_on_commit_callbacks: Callable
) -> None:
    sign_in(client, "alice", PASSWORD)
    asked_again = client.get("/accounts/2fa/totp/activate/")
    assert asked_again["Location"].startswith("/accounts/reauthenticate/")
    client.post(asked_again["Location"], {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": code})

    assert "user.factor_added" in actions_of("alice")


def test_signing_out_is_recorded(client: Client, alice: Person) -> None:
    sign_in(client, "alice", PASSWORD)

    client.post("/accounts/logout/")

    assert actions_of("alice")[-1] == "user.signed_out"
