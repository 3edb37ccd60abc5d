"""The lock files name one version of every package, fit the lists of requirements, and name no index."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.stack import ROOT

PAIRS = {"requirements.lock": "requirements.txt", "requirements-dev.lock": "requirements-dev.txt"}


def locked(name: str) -> dict[str, str]:
    """Return the exact version of every package in a lock file."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.lstrip().startswith("#")]
    found = {}
    for line in lines:
        package = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.]*)", line)
        assert package, f"{name} does not name one exact version: {line}"
        found[canonicalize_name(package[1])] = package[2]
    return found


def required(name: str) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


@pytest.mark.parametrize("lock", list(PAIRS))
def test_the_lock_has_a_version_that_fits_every_requirement(lock: str) -> None:
    versions = locked(lock)

    unmet = [
        str(requirement)
        for requirement in required(PAIRS[lock])
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]

    assert unmet == [], "run `make lock`"


def test_tests_run_with_the_versions_of_the_site() -> None:
    site, tests = locked("requirements.lock"), locked("requirements-dev.lock")

    assert {name: tests.get(name) for name in site} == site
