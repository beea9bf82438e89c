"""What every change of a state is made of: lock, change, tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coordinator.database.connection import Connection, Queries, Row
from shared.errors import NotFoundError
from shared.states import ExportAction, ExportStatus, next_status

QUERIES: Final = Queries("transitions")


async def lock(connection: Connection, export_id: str, user_id: str | None = None) -> Row:
    """An export that is about to change: nobody else changes it until the transaction ends.

    Args:
        connection: Inside a transaction.
        export_id: Which.
        user_id: Whose it must be; None for anybody's.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    row = await QUERIES.one(connection, "lock_export", id=export_id)
    if row is None or (user_id is not None and (row["user_id"] != user_id or row["deleted_at"])):
        raise NotFoundError(f"There is no export {export_id[:60]}.", export=export_id[:60])
    return row


async def change(
    connection: Connection, row: Row, action: ExportAction, query: str, **values: Any
) -> None:
    """Change an export as an action has it.

    Args:
        connection: Inside the transaction that holds its lock.
        row: As it is.
        action: What happens to it.
        query: Writes it down, with the status that follows.
        values: What else the query wants.

    Raises:
        ConflictError: It cannot happen to an export that stands so.
    """
    status = next_status(ExportStatus(row["status"]), action)
    await QUERIES.execute(connection, query, id=row["id"], status=str(status), **values)


async def change_all(
    connection: Connection, rows: Sequence[Row], action: ExportAction, query: str, **values: Any
) -> None:
    """Change several exports alike; an action leads to the same status from wherever it may."""
    statuses = {next_status(ExportStatus(row["status"]), action) for row in rows}
    ids = [row["id"] for row in rows]
    for status in statuses:
        await QUERIES.execute(connection, query, ids=ids, status=str(status), **values)


async def tell(connection: Connection, *export_ids: str, passing: bool = False) -> None:
    """Tell clients how exports stand now; last in the transaction.

    Args:
        connection: Inside the transaction that holds their locks.
        export_ids: Which.
        passing: Whether only their progress has changed.
    """
    await QUERIES.execute(connection, "tell_exports", ids=list(export_ids), passing=passing)
