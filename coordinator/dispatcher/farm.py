"""The farm as the dispatcher has it: its nodes, and what operators want of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from coordinator.database import Connection, Database, farm, quotas
from coordinator.database.farm import Orders, Place
from coordinator.dispatcher.choosing import Most
from coordinator.dispatcher.clock import SYSTEM, Clock
from coordinator.dispatcher.durations import Durations
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.running import Running
from coordinator.placing import Places
from coordinator.ports import Node

_STEP_S: Final = 5.0


class Farm:
    """Hears the orders, knows the nodes, and writes down how both are."""

    def __init__(
        self,
        database: Database,
        quota_running: int | None,
        metrics: Metrics,
        durations: Durations,
        clock: Clock = SYSTEM,
    ) -> None:
        """Nothing is known yet.

        Args:
            database: Where the orders are.
            quota_running: Work items under way at a time of a user who has no quota of his own.
            metrics: Told of nodes and slots.
            durations: Know which nodes are slow.
            clock: The time that it goes by.
        """
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._durations = durations
        self._nodes: Sequence[Node] = ()
        self._leaving: frozenset[str] = frozenset()
        self._written: dict[int, Place] = {}
        self._engines: dict[tuple[str, str], float] = {}
        self._since_s = self._clock.now_s()
        self.orders = Orders()
        """What operators want, as it was heard last."""
        self.most = Most(default=quota_running)
        """What users may have under way."""

    def engines(self, within_s: float) -> tuple[set[tuple[str, str]], set[str]]:
        """Engines by pool that were there within the last seconds.

        Returns:
            Pairs of pool and engine; and the pools that are served by one, none before this
            object is as old as that: nodes that are there already may still have to say so.
        """
        now_s = self._clock.now_s()
        self._engines = {
            each: seen_s for each, seen_s in self._engines.items() if now_s - seen_s <= within_s
        }
        is_settled = now_s - self._since_s > within_s
        return set(self._engines), set(self.places().engines) if is_settled else set()

    @property
    def nodes(self) -> Sequence[Node]:
        """The living nodes, as the cluster had them last."""
        return self._nodes

    @property
    def closed(self) -> frozenset[str]:
        """Ids of nodes that get nothing more: an operator, or they themselves, want it so."""
        return self.orders.draining | self._leaving

    @property
    def slots(self) -> int:
        """How many work items run at a time."""
        return self.places().slots

    def places(self, attempts: Iterable[Running] = (), *, margin: int = 0) -> Places:
        """The slots, and which of them are taken.

        Args:
            attempts: Under way, or waiting for a slot that they were given.
            margin: Items that a node may be given beyond its slots.
        """
        busy = Counter(each.node for each in attempts if each.item.kind != "preview")
        return Places(
            self._nodes,
            busy=busy,
            closed=self.closed,
            margin=margin,
            slowness=self._durations.slowness,
        )

    def is_open(self, running: Running) -> bool:
        """Whether an attempt takes up one of the slots: not where a node drains."""
        return running.node not in self.closed

    def is_busy(self, running: Running) -> bool:
        """Whether an attempt has one of the slots; previews run beside them."""
        return running.started_s is not None and running.item.rank > 0 and self.is_open(running)

    def is_recalled(self, running: Running, *, held: bool) -> bool:
        """Whether an attempt that waits on its node must not begin there any more.

        Args:
            running: The attempt.
            held: Whether its export is paused.
        """
        must_not = held or self.orders.paused or not self.is_open(running)
        return must_not and running.started_s is None

    async def hear(self, connection: Connection) -> None:
        """Hear what operators want."""
        self.orders = await farm.read_orders(connection)
        own = await quotas.running_limits(connection)
        self.most = Most(default=self.most.default, own=own)

    async def tell(
        self, nodes: Sequence[Node], attempts: Collection[Running], resting: Mapping[str, float]
    ) -> None:
        """Hear what operators want, and write down which nodes live and what runs where.

        Args:
            nodes: As the cluster has them.
            attempts: Under way.
            resting: For how many seconds nodes are set aside, by their ids.
        """
        self._nodes = nodes
        self._leaving = frozenset(node.id for node in nodes if node.is_leaving)
        now_s = self._clock.now_s()
        there = self.places()
        for pool, engines in there.engines.items():
            self._engines |= {(pool, engine): now_s for engine in engines}
        places = {each.id: _place(each, now_s) for each in attempts}
        changed = [each for name, each in places.items() if each != self._written.get(name)]
        async with self._database.transaction() as connection:
            await farm.note_nodes(connection, nodes, resting)
            await farm.note_pools(connection, there.pools)
            if changed:
                await farm.note_places(connection, changed)
            await self.hear(connection)
        self._written = places
        self._metrics.note_nodes(nodes, self.closed, resting)
        self._metrics.pools.note_slots(self.places().pools, self._busy_by_pool(attempts))
        self._metrics.note_slots(
            slots=self.slots, busy=sum(map(self.is_busy, attempts)), is_paused=self.orders.paused
        )

    def _busy_by_pool(self, attempts: Iterable[Running]) -> Counter[str]:
        """How many slots are taken on the nodes of each pool."""
        pools = {node.id: node.pools for node in self._nodes}
        return Counter(
            pool for each in filter(self.is_busy, attempts) for pool in pools.get(each.node, ())
        )


def _place(running: Running, now_s: float) -> Place:
    wall_s = None
    if running.started_s is not None:
        # In steps, so that what only takes its time is not written down every second.
        wall_s = max(0.0, now_s - running.started_s) // _STEP_S * _STEP_S
    return Place(
        attempt_id=running.id,
        node=running.node,
        worker=running.worker,
        frames=running.frames,
        wall_s=wall_s,
    )
