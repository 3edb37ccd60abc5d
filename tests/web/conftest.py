"""What the tests of the pages can ask for: the workers of the API's tests."""

from tests.api.conftest import idle_worker, instant_worker

__all__ = ["idle_worker", "instant_worker"]
