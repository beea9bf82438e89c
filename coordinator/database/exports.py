"""Exports: accepting them, and reading how they stand. What changes them is in transitions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg.types.json import Jsonb

from coordinator.database import transitions
from coordinator.database.connection import Connection, Queries, Row
from shared.errors import NotFoundError
from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.states import ExportStatus

_QUERIES: Final = Queries("exports")


def new_id(prefix: str) -> str:
    """An id that nobody can guess: ``exp_`` and 26 characters, say."""
    return f"{prefix}_{secrets.token_hex(13)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExport:
    """What is accepted."""

    user_id: str
    """Whose it is."""
    composition_id: str
    """What is drawn and heard."""
    composition_revision: int
    """Which edition of it."""
    name: str
    """What a person calls it; also the name of the file that is downloaded."""
    configuration: ExportConfiguration
    """What file comes out."""
    intake: IntakeSpec
    """What its first work item is told: the objects that it is made from."""
    start_s: float = 0.0
    """Song time at which the video begins."""
    end_s: float | None = None
    """Song time at which it ends; None for the end of the song."""
    priority: int = 0
    """Higher is earlier, -100 … 100."""
    batch_id: str | None = None
    """What it was submitted with."""
    reexport_of: str | None = None
    """The export that it repeats."""
    shared_frames: bool = False
    """Whether others of its batch show the same frames (``Picture.seen``)."""


async def create_batch(connection: Connection, user_id: str, name: str) -> str:
    """Note that exports were submitted together; the batch's id."""
    batch_id = new_id("bat")
    await _QUERIES.execute(connection, "insert_batch", id=batch_id, user_id=user_id, name=name)
    return batch_id


async def create_export(connection: Connection, export: NewExport) -> Row:
    """Accept an export: once the transaction is committed, it is not lost any more."""
    export_id = new_id("exp")
    await _QUERIES.execute(
        connection,
        "insert_export",
        id=export_id,
        user_id=export.user_id,
        composition_id=export.composition_id,
        composition_revision=export.composition_revision,
        config=Jsonb(export.configuration.model_dump(mode="json", by_alias=True)),
        name=export.name,
        intake=Jsonb(export.intake.model_dump(mode="json")),
        batch_id=export.batch_id,
        reexport_of=export.reexport_of,
        priority=export.priority,
        start_s=export.start_s,
        end_s=export.end_s,
        shared_frames=export.shared_frames,
    )
    await transitions.queue_intake(connection, export_id)
    return await get_export(connection, export.user_id, export_id)


async def get_export(connection: Connection, user_id: str, export_id: str) -> Row:
    """One export of a user's.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    row = await _QUERIES.one(connection, "get_export", id=export_id, user_id=user_id)
    if row is None:
        raise NotFoundError(f"There is no export {export_id[:60]}.", export=export_id[:60])
    return row


async def list_exports(
    connection: Connection,
    user_id: str,
    *,
    limit: int,
    offset: int,
    status: ExportStatus | None = None,
) -> Sequence[Row]:
    """A page of a user's history, newest first."""
    if status is None:
        return await _QUERIES.all(
            connection, "list_exports", user_id=user_id, limit=limit, offset=offset
        )
    return await _QUERIES.all(
        connection,
        "list_exports_of_status",
        user_id=user_id,
        status=str(status),
        limit=limit,
        offset=offset,
    )


async def list_attempts(connection: Connection, export_id: str, *, limit: int) -> Sequence[Row]:
    """What was tried for an export, newest first."""
    return await _QUERIES.all(connection, "list_attempts", id=export_id, limit=limit)
