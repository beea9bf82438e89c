"""The farm as the dispatcher has it: its nodes, and what operators want of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from coordinator.database import Connection, Database, farm, quotas
from coordinator.database.farm import Orders, Place
from coordinator.dispatcher.choosing import Most
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.running import Running
from coordinator.ports import Node


class Farm:
    """Hears the orders, knows the nodes, and writes down how both are."""

    def __init__(self, database: Database, quota_running: int | None, metrics: Metrics) -> None:
        """Nothing is known yet.

        Args:
            database: Where the orders are.
            quota_running: Work items under way at a time of a user who has no quota of his own.
            metrics: Told of nodes and slots.
        """
        self._database = database
        self._metrics = metrics
        self._nodes: Sequence[Node] = ()
        self._written: dict[int, Place] = {}
        self.orders = Orders()
        """What operators want, as it was heard last."""
        self.most = Most(default=quota_running)
        """What users may have under way."""

    @property
    def slots(self) -> int:
        """How many work items run at a time."""
        return slots_of(self._nodes, self.orders.draining)

    def is_open(self, running: Running) -> bool:
        """Whether an attempt takes up one of the slots: not where a node drains."""
        return running.node not in self.orders.draining

    def is_busy(self, running: Running) -> bool:
        """Whether an attempt has one of the slots; previews run beside them."""
        return running.started_s is not None and running.item.rank > 0 and self.is_open(running)

    def is_recalled(self, running: Running, *, held: bool) -> bool:
        """Whether an attempt that waits for a worker must not begin any more.

        Args:
            running: The attempt. If a node drains since it was submitted, it could land there.
            held: Whether its export is paused.
        """
        must_not = held or self.orders.paused or not self.orders.draining <= running.closed_nodes
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
        places = {each.attempt_id: each for each in map(_place, attempts)}
        changed = [each for name, each in places.items() if each != self._written.get(name)]
        async with self._database.transaction() as connection:
            await farm.note_nodes(connection, nodes, resting)
            if changed:
                await farm.note_places(connection, changed)
            await self.hear(connection)
        self._written = places
        self._metrics.note_nodes(nodes, self.orders.draining, resting)
        self._metrics.note_slots(
            slots=self.slots, busy=sum(map(self.is_busy, attempts)), is_paused=self.orders.paused
        )


def _place(running: Running) -> Place:
    return Place(
        attempt_id=running.id, node=running.node, worker=running.worker, frames=running.frames
    )


def slots_of(nodes: Iterable[Node], draining: Collection[str]) -> int:
    """How many work items run at a time: a processor each, but for those of draining nodes.

    A cluster without any processors counts as one, so that it sees that there is work and may
    grow by it.
    """
    processors = {node.id: int(node.cpus) for node in nodes if node.alive}
    if not any(processors.values()):
        return 1
    return sum(count for node, count in processors.items() if node not in draining)
