"""Many attempts at once: what a busy farm does a thousand times a second costs a few queries.

Each does what its counterpart in attempts does for one attempt, under the same locks and in the
same order: exports first, by their ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from coordinator.database import planned
from coordinator.database.connection import Connection, Row
from coordinator.database.transitions.attempts import Committed
from coordinator.database.transitions.changing import QUERIES, change_all, tell
from coordinator.database.transitions.steps import advance
from shared.plan import SegmentReport
from shared.states import ExportAction, ExportStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeChunk:
    """A result that is handed in."""

    attempt_id: int
    """Whose it is."""
    report: SegmentReport
    """What the worker tells."""
    worker: str | None
    """Who it was."""
    node: str | None
    """Where."""
    wall_s: float | None
    """How long it took there, where that is known."""


async def claim_items(
    connection: Connection, items: Mapping[int, str | None], epoch: int
) -> dict[int, int]:
    """Begin attempts of several items.

    Args:
        connection: Inside a transaction.
        items: Ids of items, each with its export's.
        epoch: Of the leader.

    Returns:
        The attempts by their items; those that wait no more are not in it.
    """
    exports = sorted({export for export in items.values() if export is not None})
    rows = await QUERIES.all(connection, "lock_exports", ids=exports)
    claimed = await QUERIES.all(connection, "claim_items", ids=list(items), epoch=epoch)
    begun = {row["item_id"]: int(row["id"]) for row in claimed}
    touched = {items[item] for item in begun}
    fresh = [row for row in rows if row["id"] in touched and row["status"] == ExportStatus.QUEUED]
    if fresh:
        await change_all(connection, fresh, ExportAction.BEGIN, "begin_exports")
        await tell(connection, *(row["id"] for row in fresh))
    return begun


async def commit_chunks(connection: Connection, made: Sequence[MadeChunk]) -> dict[int, Committed]:
    """Hand in the results of chunks.

    Args:
        connection: Inside a transaction.
        made: What was made.

    Returns:
        What came of them, by their attempts. Any that is not in it is late, was handed in before,
        or is one of two of the same content: it is to be handed in by itself.
    """
    ids = [each.attempt_id for each in made]
    await QUERIES.all(connection, "lock_exports_of", attempts=ids)
    rows = await QUERIES.all(
        connection,
        "commit_chunks",
        ids=ids,
        reports=[each.report.model_dump_json() for each in made],
        workers=[each.worker for each in made],
        nodes=[each.node for each in made],
        walls_s=[each.wall_s for each in made],
    )
    done: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        done[row["export_id"]].append(row)
    if done:
        whole = set(await planned.count_many(connection, done))
        await _go_on(connection, done.keys() - whole, whole)
    return {
        row["attempt_id"]: Committed(
            accepted=True, superseded=row["superseded"], export_id=row["export_id"]
        )
        for row in rows
    }


async def _go_on(
    connection: Connection, under_way: Collection[str], whole: Collection[str]
) -> None:
    for export_id in sorted(whole):
        await advance(connection, export_id)
    await tell(connection, *sorted(under_way), passing=True)
