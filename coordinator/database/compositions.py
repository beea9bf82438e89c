"""Compositions and their revisions, which are never changed once they exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from shared.errors import NotFoundError

_QUERIES: Final = Queries("compositions")


async def create_composition(
    connection: Connection, user_id: str, name: str, document: Mapping[str, Any]
) -> Row:
    """Keep a new composition."""
    composition_id = new_id("cmp")
    await _QUERIES.execute(
        connection, "insert_composition", id=composition_id, user_id=user_id, name=name
    )
    await _QUERIES.execute(
        connection, "insert_revision", id=composition_id, revision=1, document=Jsonb(document)
    )
    return await get_composition(connection, user_id, composition_id)


async def get_composition(
    connection: Connection, user_id: str, composition_id: str, revision: int | None = None
) -> Row:
    """A composition of a user's with one of its revisions, the newest where none is named.

    Raises:
        NotFoundError: There is none, it was deleted, or it is somebody else's.
    """
    row = await _QUERIES.one(
        connection, "get_composition", id=composition_id, user_id=user_id, revision=revision
    )
    if row is None:
        edition = "" if revision is None else f" with a revision {revision}"
        raise NotFoundError(f"There is no composition {composition_id[:60]}{edition}.")
    return row


async def get_revisions(
    connection: Connection, user_id: str, named: Sequence[tuple[str, int | None]]
) -> dict[tuple[str, int | None], Row]:
    """Several compositions of a user's by id and revision, None for the newest.

    Those that there are not, or that were deleted, are left out.
    """
    rows = await _QUERIES.all(
        connection,
        "get_revisions",
        user_id=user_id,
        ids=[composition_id for composition_id, _ in named],
        revisions=[revision for _, revision in named],
    )
    return {(row["id"], row["asked"]): row for row in rows}


async def list_compositions(
    connection: Connection, user_id: str, *, limit: int, offset: int
) -> Sequence[Row]:
    """A page of a user's compositions without their documents, the last changed first."""
    return await _QUERIES.all(
        connection, "list_compositions", user_id=user_id, limit=limit, offset=offset
    )


async def revise_composition(
    connection: Connection,
    user_id: str,
    composition_id: str,
    name: str,
    document: Mapping[str, Any],
) -> Row:
    """Give a composition a new revision; one that is equal to the newest changes nothing.

    Raises:
        NotFoundError: There is none, it was deleted, or it is somebody else's.
    """
    # Two who revise at the same time get one revision each.
    locked = await _QUERIES.one(connection, "lock_composition", id=composition_id, user_id=user_id)
    if locked is None:
        raise NotFoundError(f"There is no composition {composition_id[:60]}.")
    newest = await get_composition(connection, user_id, composition_id)
    if newest["document"] == document:
        return newest
    revision = locked["revision"] + 1
    await _QUERIES.execute(
        connection,
        "insert_revision",
        id=composition_id,
        revision=revision,
        document=Jsonb(document),
    )
    await _QUERIES.execute(
        connection, "revise_composition", id=composition_id, name=name, revision=revision
    )
    return await get_composition(connection, user_id, composition_id)


async def delete_composition(connection: Connection, user_id: str, composition_id: str) -> None:
    """Delete a composition; exports that were made from it keep their revisions.

    Raises:
        NotFoundError: There is none, it was deleted before, or it is somebody else's.
    """
    if not await _QUERIES.execute(
        connection, "delete_composition", id=composition_id, user_id=user_id
    ):
        raise NotFoundError(f"There is no composition {composition_id[:60]}.")
