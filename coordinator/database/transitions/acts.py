"""What users and operators do to exports, and what begins by it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Row
from coordinator.database.transitions.changing import QUERIES, change_all, lock, tell
from shared.errors import (
    ConflictError,
)
from shared.intake import ProbeSpec
from shared.preview import PreviewSpec
from shared.states import ExportAction, ExportStatus


async def queue_intakes(connection: Connection, export_ids: Sequence[str]) -> None:
    """Let new exports begin."""
    await QUERIES.execute(connection, "queue_intakes", ids=list(export_ids))


async def queue_probe(connection: Connection, asset_id: str, user_id: str, spec: ProbeSpec) -> None:
    """Have a worker look at an uploaded file."""
    await QUERIES.execute(
        connection,
        "insert_probe",
        asset_id=asset_id,
        user_id=user_id,
        spec=Jsonb(spec.model_dump(mode="json")),
    )


async def queue_preview(
    connection: Connection, preview_id: str, user_id: str, spec: PreviewSpec
) -> None:
    """Have a worker make a preview."""
    await QUERIES.execute(
        connection,
        "insert_preview",
        preview_id=preview_id,
        user_id=user_id,
        spec=Jsonb(spec.model_dump(mode="json")),
        key=spec.key,
    )


async def cancel_export(
    connection: Connection,
    user_id: str | None,
    export_id: str,
    reason: str = "Cancelled by its owner.",
) -> Row:
    """Cancel an export; the dispatcher stops what is under way. A second time does no harm.

    Args:
        connection: Inside a transaction.
        user_id: Whose it must be; None for anybody's.
        export_id: Which.
        reason: Told to its owner.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has completed or failed.
    """
    row = await lock(connection, export_id, user_id)
    if row["status"] != ExportStatus.CANCELLED:
        await _cancel(connection, [row], reason)
    return await lock(connection, export_id, user_id)


async def cancel_batch(connection: Connection, user_id: str, batch_id: str) -> int:
    """Cancel what has not ended of a batch; how many exports that were."""
    statuses = [each for each in ExportStatus if not each.ended]
    rows = await _lock_batch(connection, user_id, batch_id, statuses)
    await _cancel(connection, rows, "Cancelled with its batch, by its owner.")
    return len(rows)


async def retry_export(connection: Connection, user_id: str, export_id: str) -> Row:
    """Queue a failed or cancelled export again; segments that still stand are reused.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has neither failed nor been cancelled.
    """
    row = await lock(connection, export_id, user_id)
    await _retry(connection, [row], "Tried again by its owner.")
    return await lock(connection, export_id, user_id)


async def retry_batch(
    connection: Connection, user_id: str, batch_id: str, statuses: Collection[ExportStatus]
) -> int:
    """Queue those exports of a batch again that failed or were cancelled; how many that were."""
    rows = await _lock_batch(connection, user_id, batch_id, statuses)
    await _retry(connection, rows, "Tried again with its batch, by its owner.")
    return len(rows)


async def delete_export(connection: Connection, user_id: str, export_id: str) -> None:
    """Have an export that has ended forgotten, with its video.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has not ended.
    """
    row = await lock(connection, export_id, user_id)
    if not ExportStatus(row["status"]).ended:
        raise ConflictError(f"The export is {row['status']}; cancel it first.")
    await QUERIES.execute(connection, "delete_export", id=export_id)


async def set_priority(
    connection: Connection, user_id: str | None, export_id: str, priority: int
) -> Row:
    """Let an export come earlier or later; acts on everything that is not under way.

    Args:
        connection: Inside a transaction.
        user_id: Whose it must be; None for anybody's.
        export_id: Which.
        priority: Higher is earlier, -100 … 100.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has ended.
    """
    row = await lock(connection, export_id, user_id)
    if ExportStatus(row["status"]).ended:
        raise ConflictError(f"The export is {row['status']}; its priority matters no more.")
    await QUERIES.execute(connection, "prioritise_export", id=export_id, priority=priority)
    await QUERIES.execute(connection, "prioritise_items", id=export_id, priority=priority)
    return await lock(connection, export_id, user_id)


async def pause_export(connection: Connection, export_id: str) -> Row:
    """Let nothing more of an export begin; what is under way is finished. Harmless twice.

    Raises:
        NotFoundError: There is none.
        ConflictError: It has ended.
    """
    row = await lock(connection, export_id)
    if ExportStatus(row["status"]).ended:
        raise ConflictError(f"The export is {row['status']}; there is nothing to pause.")
    if row["paused_at"] is None:
        await _hold(connection, export_id, "pause_export", "Paused by an operator.", held=True)
    return await lock(connection, export_id)


async def resume_export(connection: Connection, export_id: str) -> Row:
    """Let an export go on that was paused; one that was not stays as it is.

    Raises:
        NotFoundError: There is none.
    """
    row = await lock(connection, export_id)
    if row["paused_at"] is not None:
        await _hold(connection, export_id, "resume_export", "Resumed by an operator.", held=False)
    return await lock(connection, export_id)


async def _hold(
    connection: Connection, export_id: str, query: str, reason: str, *, held: bool
) -> None:
    await QUERIES.execute(connection, query, id=export_id, reason=reason)
    await QUERIES.execute(connection, "hold_items", id=export_id, held=held)
    await QUERIES.execute(connection, "wake_dispatcher")
    await tell(connection, export_id)


async def _cancel(connection: Connection, rows: Sequence[Row], reason: str) -> None:
    ids = [row["id"] for row in rows]
    await change_all(connection, rows, ExportAction.CANCEL, "cancel_exports", reason=reason)
    await QUERIES.execute(connection, "cancel_items", ids=ids)
    await tell(connection, *ids)


async def _retry(connection: Connection, rows: Sequence[Row], reason: str) -> None:
    ids = [row["id"] for row in rows]
    await change_all(connection, rows, ExportAction.RETRY, "retry_exports", reason=reason)
    await QUERIES.execute(connection, "drop_items", ids=ids)
    await queue_intakes(connection, ids)


async def _lock_batch(
    connection: Connection, user_id: str, batch_id: str, statuses: Collection[ExportStatus]
) -> Sequence[Row]:
    return await QUERIES.all(
        connection,
        "lock_batch",
        batch_id=batch_id,
        user_id=user_id,
        statuses=[str(each) for each in statuses],
    )
