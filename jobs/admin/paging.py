"""Pagination of lists that may have a million rows. Rows are counted only up to a limit."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

COUNTED_ROWS = 20_000


class BoundedPaginator(Paginator):
    """Paginator that counts at most COUNTED_ROWS rows, because the database must read each row that it counts.

    Rows after this limit are on no page, but a filter or a search can find these rows.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows) if isinstance(rows, list) else int(rows.order_by()[:COUNTED_ROWS].count())
