"""Tests of the SQLite backend: a connection stays open between requests, except after an error."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection

from jobs.models import Team

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _on_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("tests the SQLite backend")
    connection.ensure_connection()
    connection.close_at = None


def test_a_connection_is_kept_after_a_request() -> None:
    kept = connection.connection
    Team.objects.create(name="Studio")
    with pytest.raises(IntegrityError):
        Team.objects.create(name="Studio")

    connection.close_if_unusable_or_obsolete()

    assert connection.connection is kept


def test_a_connection_is_closed_after_an_error_of_the_database() -> None:
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")

    connection.close_if_unusable_or_obsolete()

    assert connection.connection is None
