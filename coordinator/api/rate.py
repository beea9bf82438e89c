"""How often somebody may do something: a token bucket for each. Pure, but for its clock.

A bucket is kept as one number, the time at which it will be full again; one that is full need not
be kept at all. The buckets are those of one process.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST: Final = 10_000


class RateLimit:
    """Buckets that hold ``burst`` tokens and get ``per_s`` new ones a second."""

    def __init__(
        self,
        per_s: float,
        burst: int,
        *,
        most: int = _MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Every bucket is full.

        Args:
            per_s: How often, in the long run; 0 for no limit.
            burst: How often at once; 0 for no limit.
            most: Buckets that are kept. Beyond them, the one that was used longest ago is
                forgotten, and so is full again.
            clock: Tells the time, in seconds.
        """
        self._interval_s = 1 / per_s if per_s > 0 and burst > 0 else 0.0
        self._capacity_s = burst * self._interval_s
        self._most = most
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Buckets that are kept."""
        return len(self._full_at)

    def take(self, who: str) -> float:
        """Take a token of somebody's.

        Returns:
            0 if there was one, else the seconds until there is one; nothing is taken then.
        """
        now = self._clock()
        full_at = max(self._full_at.get(who, now), now) + self._interval_s
        wait_s = full_at - now - self._capacity_s
        if wait_s > 1e-9:
            return wait_s
        self._full_at[who] = full_at
        self._full_at.move_to_end(who)
        while self._full_at and (
            len(self._full_at) > self._most or next(iter(self._full_at.values())) <= now
        ):
            self._full_at.popitem(last=False)
        return 0.0

    def give_back(self, who: str) -> None:
        """Put back a token that was taken."""
        if who in self._full_at:
            self._full_at[who] -= self._interval_s
