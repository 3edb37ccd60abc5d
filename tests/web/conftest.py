"""Fixtures of the tests of web pages: the fake workers of the API tests."""

from tests.api.conftest import idle_worker, instant_worker

__all__ = ["idle_worker", "instant_worker"]
