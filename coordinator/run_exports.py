"""Running exports side by side: as much under way as there are slots, and a little more.

The first export has precedence, the next ones take what it leaves: the cores are busy while it
is surveyed or stitched. An export that fails takes nothing with it.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from coordinator.export_run import ExportRun, Finished, Progress
from coordinator.placing import Need, Places, engine_id, takes_work
from coordinator.ports import Executor
from shared.errors import ClusterError, MidifarmError
from shared.planning import ExportPlan

_log = logging.getLogger(__name__)

_MARGIN: Final = 2
"""Items that a node is given beyond its slots, so that a worker finds the next one waiting."""
_FOUND_WITHIN_S: Final = 120.0
_ASK_S: Final = 0.05
_TICK_S: Final = 0.25
"""Progress is told about this often."""

OnProgress = Callable[[int, Progress], None]
"""Told of the export at that place among the plans."""


def run_exports(
    plans: Sequence[ExportPlan], executor: Executor, on_progress: OnProgress
) -> Iterator[tuple[int, Finished | MidifarmError]]:
    """Run every plan to its end; yields each end as it comes, by its place among the plans.

    Whoever stops listening has everything that is under way cancelled.

    Raises:
        ClusterLostError: Ray does not answer any more, which ends all of them.
    """
    runs = dict(enumerate(ExportRun(plan) for plan in plans))
    owners: dict[str, tuple[int, str]] = {}
    names = itertools.count(1)
    try:
        while runs:
            busy = Counter(node for _, node in owners.values())
            places = Places(executor.nodes(), busy=busy, margin=_MARGIN)
            owners |= _fill(runs, executor, places, names)
            ended: dict[int, Finished | MidifarmError] = {}
            for outcome in executor.wait(_TICK_S):
                place, _ = owners.pop(outcome.attempt, (-1, ""))
                run = runs.get(place)
                if run is None:
                    _log.info("late_outcome attempt=%s", outcome.attempt)
                    continue
                try:
                    run.take(outcome)
                except MidifarmError as exc:
                    executor.cancel(list(run.under_way))
                    ended[place] = exc
                    del runs[place]
                    continue
                if run.finished is not None:
                    ended[place] = run.finished
            board = executor.status()
            for place, run in runs.items():
                on_progress(place, run.progress(board))
            for place, end in ended.items():
                runs.pop(place, None)
                yield place, end
    finally:
        left = [attempt for run in runs.values() for attempt in run.under_way]
        if left:
            executor.cancel(left)


def find_engine(executor: Executor) -> str:
    """What draws and encodes on the nodes, as soon as one has said so.

    Raises:
        ClusterError: No node takes work.
        ClusterLostError: Ray does not answer any more.
    """
    until_s = time.monotonic() + _FOUND_WITHIN_S
    while True:
        nodes = executor.nodes()
        counts: Counter[str] = Counter()
        for node in filter(takes_work, nodes):
            counts[node.engine or ""] += node.slots
        if counts:
            return max(counts, key=lambda engine: (counts[engine], engine))
        reasons = [node.kept_out for node in nodes if node.kept_out]
        are_silent = any(node.kept_out is None for node in nodes if node.cpus or node.gpus)
        if (reasons and not are_silent) or time.monotonic() > until_s:
            raise ClusterError(
                reasons[0]
                if reasons
                else f"No node took work within {_FOUND_WITHIN_S:.0f} s. Has the cluster a node "
                "with a processor?"
            )
        time.sleep(_ASK_S)


def _fill(
    runs: dict[int, ExportRun], executor: Executor, places: Places, names: Iterator[int]
) -> dict[str, tuple[int, str]]:
    """Start what there is room for; each attempt with its export's place, and its node."""
    started: dict[str, tuple[int, str]] = {}
    for index, run in runs.items():
        need = Need(engine=engine_id(run.engine))
        while run.has_next and (node := places.place(need)) is not None:
            item = run.next()
            assert item is not None  # noqa: S101  # it has one
            attempt = f"{item.key}#{next(names)}"
            run.began(attempt, item)
            executor.submit(attempt, item, node)
            started[attempt] = index, node
    return started
