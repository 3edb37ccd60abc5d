"""Fixtures of the tests of the pages: the workers of the API's tests."""

from tests.api.conftest import idle_worker, instant_worker

__all__ = ["idle_worker", "instant_worker"]
