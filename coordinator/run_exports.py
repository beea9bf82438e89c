"""Running exports side by side: as much under way as there are slots, and a little more.

The first export has precedence, the next ones take what it leaves: the cores are busy while it
is surveyed or stitched. An export that fails takes nothing with it.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from coordinator.export_run import ExportRun, Finished, Progress
from coordinator.ports import Executor
from shared.errors import MidifarmError
from shared.planning import ExportPlan

_log = logging.getLogger(__name__)

_MARGIN: Final = 2
"""Items submitted beyond the slots, so that a worker finds the next one waiting."""
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
    owners: dict[str, int] = {}
    names = itertools.count(1)
    try:
        while runs:
            owners |= _fill(runs, executor, len(owners), names)
            ended: dict[int, Finished | MidifarmError] = {}
            for outcome in executor.wait(_TICK_S):
                place = owners.pop(outcome.attempt, -1)
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


def _fill(
    runs: dict[int, ExportRun], executor: Executor, under_way: int, names: Iterator[int]
) -> dict[str, int]:
    """Start what there is room for; the attempts, each with the place of its export."""
    started: dict[str, int] = {}
    room = executor.slots + _MARGIN - under_way
    for place, run in runs.items():
        while room > 0 and (item := run.next()) is not None:
            attempt = f"{item.key}#{next(names)}"
            run.began(attempt, item)
            executor.submit(attempt, item)
            room -= 1
            started[attempt] = place
    return started
