"""What an autoscaler should bring: the slots that all work could use at once, by pool."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from coordinator.database import Database, pools
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.placing import ANY, DEFAULT
from shared.errors import ClusterLostError, DatabaseError

_log = logging.getLogger(__name__)

MOST: Final = 1000
"""Slots of a pool that are asked for at most; an autoscaler has bounds of its own."""
_EVERY_S: Final = 5.0
"""A machine takes minutes to come, and goes after minutes without work."""


def slots_wanted(items: Iterable[tuple[str, int]], most: int = MOST) -> dict[str, int]:
    """The slots that are of use, by pool; a pool without work is not in it.

    Args:
        items: Pools, each as often as one likes, and how many work items of it run or could begin;
            what any node may do is a matter of the default pool.
        most: Slots of a pool that are asked for at most.
    """
    found: Counter[str] = Counter()
    for pool, count in items:
        found[DEFAULT if pool == ANY else pool] += count
    return {pool: min(most, count) for pool, count in found.items() if count > 0}


class Demand:
    """Tells one leader's cluster what it needs."""

    def __init__(
        self,
        database: Database,
        *,
        quota_running: int | None,
        ask_for: Callable[[Mapping[str, int]], Awaitable[None]],
        clock: Clock = SYSTEM,
    ) -> None:
        """Nothing is asked for before run().

        Args:
            database: What is counted in.
            quota_running: Items under way at a time of a user who has no quota of his own.
            ask_for: As Executor.ask_for().
            clock: The time that it goes by.
        """
        self._database = database
        self._quota_running = quota_running
        self._ask_for = ask_for
        self._clock = clock

    async def run(self) -> None:
        """Ask again and again until somebody cancels it."""
        while True:
            try:
                async with self._database.reading() as connection:
                    items = await pools.count_demand(
                        connection, quota_running=self._quota_running, most=MOST
                    )
                await self._ask_for(slots_wanted(items))
            except (DatabaseError, ClusterLostError) as exc:
                _log.warning("demand_not_told error=%s", exc)
            except Exception:
                _log.exception("demand_not_told")
            await self._clock.sleep(_EVERY_S)
