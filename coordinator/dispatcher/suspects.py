"""Workers and nodes that fail whatever they are given. Pure bookkeeping.

One failing chunk may be poisonous; a worker that fails chunks of different exports one after the
other is itself the cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

WORKER_FAILURES: Final = 3
"""Failures in a row, of two exports at least, after which a worker process is replaced."""
NODE_FAILURES: Final = 6
"""Failures in a row, of three exports at least, after which a node is left alone for a while."""
_REMEMBERED: Final = 10_000
NODE_REST_S: Final = 600.0
"""How long it is left alone."""
LOST_REST_S: Final = 10.0
"""How long a node is left alone that has lost an attempt: by then it is known whether it is there.
Until then it would get more than all others, since all that it gets is lost at once."""


@dataclass(slots=True)
class _Streak:
    failures: int = 0
    exports: set[str] = field(default_factory=set)

    def add(self, export_id: str) -> None:
        self.failures += 1
        self.exports.add(export_id)


class Suspects:
    """Failures in a row by worker and by node."""

    def __init__(self) -> None:
        self._workers: dict[str, _Streak] = {}
        self._nodes: dict[str, _Streak] = {}
        self._resting: dict[str, float] = {}

    def succeeded(self, worker: str | None, node: str | None) -> None:
        """Clear a worker and its node."""
        self._workers.pop(worker or "", None)
        self._nodes.pop(node or "", None)
        self._resting.pop(node or "", None)

    def failed(self, worker: str | None, node: str | None, export_id: str, now_s: float) -> bool:
        """Note a suspect failure; whether the worker is to be replaced."""
        if node is not None:
            streak = self._nodes.setdefault(node, _Streak())
            streak.add(export_id)
            if streak.failures >= NODE_FAILURES and len(streak.exports) >= 3:
                self._resting[node] = now_s + NODE_REST_S
                del self._nodes[node]
        if worker is None:
            return False
        if len(self._workers) > _REMEMBERED:
            self._workers.clear()  # processes that are long gone
        streak = self._workers.setdefault(worker, _Streak())
        streak.add(export_id)
        if streak.failures >= WORKER_FAILURES and len(streak.exports) >= 2:
            del self._workers[worker]
            return True
        return False

    def lost(self, node: str, now_s: float) -> None:
        """Note that an attempt was lost with its node, or on its way there."""
        self._resting[node] = max(self._resting.get(node, 0.0), now_s + LOST_REST_S)

    def resting_nodes(self, now_s: float) -> dict[str, float]:
        """The nodes that are left alone now, each with the seconds that are left of it."""
        self._resting = {node: until for node, until in self._resting.items() if until > now_s}
        return {node: until - now_s for node, until in self._resting.items()}
