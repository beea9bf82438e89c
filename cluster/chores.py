"""What is done on nodes beside the work: sweeping them, and ending processes that have gone bad."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from cluster.nodes import Node
from shared.errors import MidifarmError

_log = logging.getLogger(__name__)

_RESULT_S: Final = 30.0


class Chores:
    """Chores under way; for one thread."""

    def __init__(self, ray: Any, tasks: Any, store_url: str) -> None:
        """Nothing is under way.

        Args:
            ray: The module, connected.
            tasks: The module of remote functions.
            store_url: What is swept along with the nodes.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._tasks = tasks
        self._on_node: Any = NodeAffinitySchedulingStrategy
        self._store_url = store_url
        self._under_way: list[Any] = []

    def sweep(self, nodes: Iterable[Node]) -> None:
        """Have nodes remove what killed processes left; where the last sweep runs, nothing more."""
        self.tidy()
        if self._under_way:
            return
        # One of them sees to the object store, which all share.
        url: str | None = self._store_url
        for node in nodes:
            if node.slots:
                self._begin(self._tasks.sweep, node.id, url)
                url = None

    def end_process(self, node: str, pid: int) -> None:
        """End a worker process of a node."""
        self._begin(self._tasks.end_process, node, pid)

    def _begin(self, task: Any, node: str, argument: object) -> None:
        placed = task.options(scheduling_strategy=self._on_node(node, soft=False))
        self._under_way.append(placed.remote(argument))

    def tidy(self) -> None:
        """Hear of chores that have ended; Ray complains of failures that nobody hears of."""
        if not self._under_way:
            return
        done, self._under_way = self._ray.wait(
            self._under_way, num_returns=len(self._under_way), timeout=0
        )
        for ref in done:
            try:
                self._ray.get(ref, timeout=_RESULT_S)
            except self._ray.exceptions.WorkerCrashedError:
                pass  # it ended the process that it ran in itself
            except (self._ray.exceptions.RayError, MidifarmError) as exc:
                _log.warning("chore_failed error=%s", exc)
