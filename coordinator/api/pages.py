"""Pages of long lists: by number, or by a cursor, which is fast however deep it leads."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Query

from coordinator.api.problems import field_error
from coordinator.database import Row

Limit = Annotated[int, Query(ge=1, le=50, description="How many at most.")]
"""A route's parameter; 20 by default."""
Offset = Annotated[
    int, Query(ge=0, le=100_000_000, description="How many to leave out from the beginning.")
]
"""A route's parameter; 0 by default."""
Place = tuple[datetime, str]
"""A place in a list that goes by time: when something was made, and its id."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR: Final = re.compile(rb"(\d{1,17}):([!-~]{1,80})")
"""Microseconds, not beyond the dates that Python knows, and an id."""


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """A page of a list that was asked for one more than the limit; whether there is more."""
    return rows[:limit], len(rows) > limit


def next_cursor(page: Sequence[Row], has_more: bool) -> str | None:
    """What the page after this one is asked for with."""
    if not page or not has_more:
        return None
    passed_us = (page[-1]["created_at"] - _EPOCH) // timedelta(microseconds=1)
    told = f"{passed_us}:{page[-1]['id']}"
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


async def _place(
    cursor: Annotated[
        str | None,
        Query(
            max_length=200,
            description="`next_cursor` of the page before: fast however deep it leads, and "
            "nothing is told twice when something new comes meanwhile.",
        ),
    ] = None,
) -> Place | None:
    if cursor is None:
        return None
    try:
        told = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except ValueError:
        told = b""
    match = _CURSOR.fullmatch(told)
    if match is None:
        raise field_error("cursor", "give the next_cursor of the page before")
    return _EPOCH + timedelta(microseconds=int(match[1])), match[2].decode()


After = Annotated[Place | None, Depends(_place)]
"""A route's parameter: after which place the page begins; None for the beginning."""
