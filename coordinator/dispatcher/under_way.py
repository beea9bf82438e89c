"""The attempts under way, and how the cluster is asked about them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from coordinator.dispatcher.choosing import Waiting
from coordinator.dispatcher.clock import Clock
from coordinator.dispatcher.running import Running, attempt_id
from coordinator.ports import Executor, Outcome

T = TypeVar("T")

_REMEMBERED: Final = 10_000


class UnderWay:
    """Attempts that nobody has heard the end of; for one leader."""

    def __init__(self, executor: Executor, clock: Clock) -> None:
        """Nothing is under way.

        Args:
            executor: Makes the attempts.
            clock: The time that is noted.
        """
        self.executor = executor
        self._clock = clock
        # Ray is used from one thread only.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="executor")
        self._running: dict[int, Running] = {}
        self._attempts_of: defaultdict[int, set[int]] = defaultdict(set)
        """By their items."""
        self.unheard: list[Outcome] = []
        """How attempts ended of which the database does not know it yet."""
        self.failed_on: defaultdict[int, set[str]] = defaultdict(set)
        """Nodes on which items have failed, by the items."""
        self.given_up: dict[str, Waiting] = {}
        """What was done by attempts that were lost with their nodes, by their names."""

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Running]:
        """Those that are under way at this moment, whatever changes meanwhile."""
        return iter(list(self._running.values()))

    @property
    def ids(self) -> list[int]:
        """Of all of them."""
        return list(self._running)

    def find(self, outcome: Outcome) -> Running | None:
        """The attempt that has ended; None where it is not ours any more."""
        return self._running.get(attempt_id(outcome.attempt))

    def beside(self, running: Running) -> list[Running]:
        """The other attempts at the same item."""
        others = self._attempts_of[running.item.id] - {running.id}
        return [self._running[each] for each in sorted(others)]

    def keep(self, running: Running) -> None:
        """Note that an attempt is under way."""
        self._running[running.id] = running
        self._attempts_of[running.item.id].add(running.id)

    def drop(self, running: Running) -> None:
        """Forget an attempt; a second time does no harm."""
        self._running.pop(running.id, None)
        attempts = self._attempts_of[running.item.id]
        attempts.discard(running.id)
        if not attempts:
            del self._attempts_of[running.item.id]

    def clear(self) -> None:
        """Forget all of them."""
        self._running.clear()
        self._attempts_of.clear()

    def forget_old(self) -> None:
        """Forget of what is long gone where it failed."""
        while len(self.failed_on) > _REMEMBERED:
            self.failed_on.pop(next(iter(self.failed_on)))
        while len(self.given_up) > _REMEMBERED:
            self.given_up.pop(next(iter(self.given_up)))

    async def tell_to_stop(self, attempts: Collection[Running]) -> None:
        """Have attempts stopped softly, each once."""
        untold = [each for each in attempts if each.told_s is None]
        if untold:
            await self.call(self.executor.cancel, [each.name for each in untold])
            for each in untold:
                each.told_s = self._clock.now_s()

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the executor in its thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: function(*arguments)
        )

    def close(self) -> None:
        """Call nothing more; what does not answer is left alone."""
        self._thread.shutdown(wait=False)
