"""Pages of long lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from coordinator.database import Row

Limit = Annotated[int, Query(ge=1, le=50, description="How many at most.")]
"""A route's parameter; 20 by default."""
Offset = Annotated[
    int, Query(ge=0, le=100_000_000, description="How many to leave out from the beginning.")
]
"""A route's parameter; 0 by default."""


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """A page of a list that was asked for one more than the limit; whether there is more."""
    return rows[:limit], len(rows) > limit
