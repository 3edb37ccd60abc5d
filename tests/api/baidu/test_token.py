"""Tests of the token endpoint of the Baidu-compatible API."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from jobs.api.baidu.tokens import TOKEN_TTL_S
from jobs.models import ApiKey
from jobs.teams.keys import key_revoke
from tests.api.matching import assert_matches, fixture
from tests.cast import Person

URL = "/oauth/2.0/token"
SEGMENT = "/rest/2.0/image-process/v1/segment"
FIXTURE = fixture("baidu/token.json")


def credentials(person: Person, **changes: str) -> dict[str, str]:
    known = {"<key id>": person.key.public_id, "<key secret>": person.secret}
    return {name: known.get(value, value) for name, value in FIXTURE["request"].items()} | changes


def token_of(person: Person) -> str:
    return Client().get(URL, credentials(person)).json()["access_token"]


def error_code_with(token: str) -> int:
    """Send a request with this token but without a picture, and return the error code of the response.

    The code 216101 (a parameter is missing) means that the token is valid.
    """
    return Client().post(f"{SEGMENT}?access_token={token}", {}, content_type="application/json").json()["error_code"]


def test_a_token_is_given_by_get(alice: Person) -> None:
    response = Client().get(URL, credentials(alice))

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert_matches(response.json(), FIXTURE["answer"])


def test_a_token_is_given_by_post_with_everything_in_the_query(client: Client, alice: Person) -> None:
    response = client.post(URL, query_params=credentials(alice))

    assert_matches(response.json(), FIXTURE["answer"])


@pytest.mark.parametrize("label", ["application/x-www-form-urlencoded", "application/json", "text/plain"])
def test_a_form_body_is_read_whatever_its_label(client: Client, alice: Person, label: str) -> None:
    body = "&".join(f"{name}={value}" for name, value in credentials(alice).items())

    response = client.post(URL, body, content_type=label)

    assert_matches(response.json(), FIXTURE["answer"])


def test_a_json_body_is_read_too(client: Client, alice: Person) -> None:
    response = client.post(URL, json.dumps(credentials(alice)), content_type="application/json")

    assert_matches(response.json(), FIXTURE["answer"])


@pytest.mark.parametrize("case", FIXTURE["errors"], ids=lambda case: case["when"])
def test_a_token_is_refused_when(alice: Person, case: dict[str, Any]) -> None:
    response = Client().get(URL, credentials(alice, **case["changes"]))

    assert response.status_code == case["status"]
    assert response["Content-Type"] == "application/json"
    assert_matches(response.json(), case["answer"])


def test_two_tokens_of_one_key_are_valid_side_by_side(alice: Person) -> None:
    first, second = token_of(alice), token_of(alice)

    assert first != second
    assert [error_code_with(first), error_code_with(second)] == [216101, 216101]


def test_revoking_the_key_ends_its_tokens_and_gives_no_more(alice: Person) -> None:
    token = token_of(alice)

    key_revoke(key=alice.key)

    assert error_code_with(token) == 110
    assert Client().get(URL, credentials(alice)).status_code == 401


def test_a_key_that_has_expired_ends_its_tokens(alice: Person) -> None:
    token = token_of(alice)

    ApiKey.objects.filter(pk=alice.key.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert error_code_with(token) == 110


def test_a_token_is_expired_after_thirty_days(alice: Person) -> None:
    with mock.patch("django.core.signing.time.time", return_value=timezone.now().timestamp() - TOKEN_TTL_S - 2):
        token = token_of(alice)

    assert error_code_with(token) == 111


def test_a_token_changed_by_one_letter_is_invalid(alice: Person) -> None:
    token = token_of(alice)
    changed = ("B" if token[30] == "A" else "A").join((token[:30], token[31:]))

    assert error_code_with(changed) == 110


def test_no_token_is_an_invalid_one(client: Client, db: None) -> None:
    answer = client.post(SEGMENT, {}, content_type="application/json").json()

    expected = {"error_code": 110, "error_msg": "Access token invalid or no longer valid", "log_id": "<digits>"}
    assert_matches(answer, expected)


def test_a_body_too_long_for_credentials_is_refused(client: Client, alice: Person) -> None:
    response = client.post(URL, credentials(alice) | {"state": "x" * 2**16}, content_type="application/json")

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("kind", ["token", "secret"])
def test_a_bearer_may_be_the_token_or_the_keys_own_secret(alice: Person, kind: str) -> None:
    bearer = token_of(alice) if kind == "token" else alice.secret

    response = Client(headers={"Authorization": f"Bearer {bearer}"}).post(SEGMENT, {}, content_type="application/json")

    assert response.json()["error_code"] == 216101


def test_a_key_without_the_submit_scope_has_no_permission(alice: Person) -> None:
    ApiKey.objects.filter(pk=alice.key.pk).update(scopes=["read"])

    assert error_code_with(token_of(alice)) == 6


def test_a_key_bound_to_another_network_has_no_permission(alice: Person) -> None:
    token = token_of(alice)

    ApiKey.objects.filter(pk=alice.key.pk).update(allowed_networks=["192.0.2.0/24"])

    assert error_code_with(token) == 6


def test_a_closing_slash_changes_nothing(client: Client, alice: Person) -> None:
    response = client.post(f"{URL}/", query_params=credentials(alice))

    assert_matches(response.json(), FIXTURE["answer"])


def test_an_unknown_path_beside_the_token_endpoint_is_an_invalid_request(client: Client) -> None:
    response = client.post("/oauth/2.0/tokens")

    assert response.status_code == 404
    expected = {"error": "invalid_request", "error_description": "There is nothing at this URL."}
    assert response.json() == expected


def test_the_same_key_is_baidus_client_id_and_secret(alice: Person) -> None:
    form = {"grant_type": "client_credentials", "client_id": alice.key.public_id, "client_secret": alice.secret}

    answer = Client().post("/oauth/2.0/token", urlencode(form), "application/x-www-form-urlencoded")

    assert answer.status_code == 200
    assert "brain_all_scope" in answer.json()["scope"]
