"""Which state of each of many exports is the newest that somebody was told."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_MOST: Final = 20_000
"""Exports that are remembered: two of the largest batches. Of those that were told of longest ago,
nothing older turns up any more."""


class Newest:
    """The newest event of each export."""

    def __init__(self, most: int = _MOST) -> None:
        """Remember ``most`` exports."""
        self._most = most
        self._ids: OrderedDict[str, int] = OrderedDict()

    def take(self, export_id: str, event_id: int) -> bool:
        """Note an event; False for one that is no news, since a later one was noted before."""
        if event_id <= self._ids.get(export_id, 0):
            return False
        self._ids[export_id] = event_id
        self._ids.move_to_end(export_id)
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True
