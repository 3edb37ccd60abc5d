"""Page numbers for lists of a million rows. The rows are counted only up to a limit."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

COUNTED_ROWS = 20_000


class BoundedPaginator(Paginator):
    """Count at most COUNTED_ROWS rows, because a database reads every row that it counts.

    Filters and the search find older rows.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows) if isinstance(rows, list) else int(rows.order_by()[:COUNTED_ROWS].count())
