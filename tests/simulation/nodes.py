"""The nodes of the simulated cluster: how fast they are, when they fail, and when they are back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from coordinator.ports import Item
from tests.farm import PaintedNode
from tests.simulation.chance import Chance

SPEEDS: Final = (0.6, 0.8, 1.0, 1.25, 1.6)
"""How fast nodes are, as often one as another."""
BACK_S: Final = (120.0, 900.0)
"""How long a node that failed is away."""
ENGINE: Final = "imagined"
"""What draws: always of the same name, since keys follow from it, and what happens from these."""
START_S: Final = 4.0
"""What a worker process takes until it draws."""


@dataclass(slots=True)
class Attempt:
    """An attempt, from its submission to its end."""

    name: str
    item: Item
    node: str
    submitted_s: float
    begun_s: float | None = None
    ends_s: float = 0.0
    """When it ends by itself, once it has begun."""
    ended_s: float | None = None
    end: str = ""
    """How it ended: done, stopped, crashed or lost."""
    slot: int = 0


@dataclass(slots=True)
class SimulatedNode:
    """One life of a node: it ends when it fails."""

    id: str
    speed: float
    slots: int
    fails_s: float
    back_s: float
    """When another node takes its place."""
    waiting: deque[Attempt] = field(default_factory=deque)
    running: dict[int, Attempt] = field(default_factory=dict)
    """What its slots are at."""
    started: set[int] = field(default_factory=set)
    """Slots whose process is there."""

    @property
    def shown(self) -> PaintedNode:
        """As the cluster tells of it."""
        return PaintedNode(
            id=self.id, name=self.id, cpus=self.slots, slots=self.slots, engine=ENGINE
        )

    def free_slot(self) -> int | None:
        """The first slot that is at nothing."""
        return next((slot for slot in range(self.slots) if slot not in self.running), None)


def lives(chance: Chance, number: int, slots: int, lost_per_s: float) -> Iterator[SimulatedNode]:
    """The lives of a node, one after the other, each as fast as the one before.

    Args:
        chance: Says when it fails.
        number: Which node.
        slots: How many it has.
        lost_per_s: How many nodes of one fail in a second.
    """
    speed = chance.one_of(SPEEDS, [1.0] * len(SPEEDS), number, "speed")
    begins_s, life = 0.0, 0
    while True:
        fails_s = begins_s + chance.after(1 / lost_per_s, number, life, "fails")
        back_s = fails_s + chance.between(*BACK_S, number, life, "away")
        name = f"node {number:04}.{life}"
        yield SimulatedNode(name, speed, slots, fails_s, back_s)
        begins_s, life = back_s, life + 1
