"""Tests of the lock files: each line has one exact version, which fits the lists of requirements.

No version has a known vulnerability, and no line is a URL of a package index.
"""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.stack import ROOT

# The versions in which published vulnerabilities are fixed. `.ci/audit` uses the public list if it can be reached.
LOWEST_SAFE = {
    "certifi": "2024.7.4",
    "cryptography": "44.0.1",
    "django": "5.2.9",
    "django-allauth": "65.3.0",
    "djangorestframework": "3.15.2",
    "fonttools": "4.60.2",
    "h11": "0.16.0",
    "h2": "4.3.0",
    "idna": "3.7",
    "jinja2": "3.1.6",
    "numpy": "1.22.0",
    "onnx": "1.19.1",
    "opencv-python-headless": "4.8.1.78",
    "pillow": "11.3.0",
    "requests": "2.32.4",
    "sqlparse": "0.5.4",
    "starlette": "0.49.1",
    "tornado": "6.5.0",
    "torch": "2.8.0",
    "tqdm": "4.66.3",
    "urllib3": "2.6.3",
    "werkzeug": "3.1.4",
}

PAIRS = [
    ("requirements.lock", "requirements.txt"),
    ("requirements-optional.lock", "requirements-observe.txt"),
    ("requirements-optional.lock", "requirements-saml.txt"),
    ("requirements-dev.lock", "requirements-dev.txt"),
]
LOCKS = sorted({lock for lock, _ in PAIRS})


def locked(name: str) -> dict[str, str]:
    """Return the exact version of each package in a lock file."""
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


@pytest.mark.parametrize(("lock", "requirements"), PAIRS)
def test_the_lock_has_a_version_that_fits_every_requirement(lock: str, requirements: str) -> None:
    versions = locked(lock)

    unmet = [
        str(requirement)
        for requirement in required(requirements)
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]

    assert unmet == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_locked_version_has_a_known_vulnerability(lock: str) -> None:
    versions = locked(lock)

    assert {
        name: versions[name]
        for name, lowest in LOWEST_SAFE.items()
        if name in versions and Version(versions[name]) < Version(lowest)
    } == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-optional.lock"])
def test_tests_run_with_the_versions_of_the_site(lock: str) -> None:
    site, tests = locked(lock), locked("requirements-dev.lock")

    assert {name: tests.get(name) for name in site} == site


def test_optional_packages_need_no_other_version_than_the_site() -> None:
    site, optional = locked("requirements.lock"), locked("requirements-optional.lock")

    assert {name: version for name, version in optional.items() if site.get(name, version) != version} == {}
