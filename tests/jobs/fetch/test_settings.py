"""Tests that the operator's settings become the policy of the guarded client, which downloads from untrusted URLs.

The policy contains the allowed hosts, the size limits and the time limits.
"""

from __future__ import annotations

from pytest_django import Settings

from jobs.intake.fetch import policy_from_settings
from jobs.running.checks import check_matting_settings


def test_the_operators_settings_become_a_policy(settings: Settings) -> None:
    settings.MATTING_FETCH_ALLOW = ["127.0.0.1:9000", "images.internal"]
    settings.MATTING_FETCH_TIMEOUT_S = 7.5
    settings.MATTING_MAX_IMAGE_BYTES = 1234
    policy = policy_from_settings("picture")
    assert policy.allowed_hosts == ("127.0.0.1:9000", "images.internal")
    assert (policy.deadline_s, policy.max_bytes, policy.max_redirects) == (7.5, 1234, 5)
    assert policy_from_settings("callback").max_redirects == 0


def test_a_slip_in_the_allow_list_fails_the_system_check(settings: Settings) -> None:
    settings.MATTING_FETCH_ALLOW = ["10.0.0.0/33"]
    problems = [problem for problem in check_matting_settings(None) if problem.id == "keyline.E006"]
    assert ["MATTING_FETCH_ALLOW" in problem.msg and "10.0.0.0/33" in problem.msg for problem in problems] == [True]
