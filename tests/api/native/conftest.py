"""Fixture of the native API's tests: a finished job."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Person

from .sent import photo


@pytest.fixture
def job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> dict[str, Any]:
    return alice.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes)}).json()
