"""Templates of users' own, and their versions, which are never changed once they exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from shared.errors import ConflictError, NotFoundError

_QUERIES: Final = Queries("templates")


async def create_template(
    connection: Connection, user_id: str, document: Mapping[str, Any], *, most: int
) -> Row:
    """Keep a new template.

    Args:
        connection: Inside a transaction.
        user_id: Whose it is.
        document: Name, description and branding.
        most: How many one user may keep.

    Raises:
        ConflictError: The user keeps so many already.
    """
    await _QUERIES.execute(connection, "lock_templates", user_id=user_id)
    kept = await _QUERIES.one(connection, "count_templates", user_id=user_id)
    if kept is not None and kept["count"] >= most:
        raise ConflictError(f"You keep {kept['count']} templates; {most} is the most. Delete one.")
    template_id = new_id("tpl")
    await _QUERIES.execute(connection, "insert_template", id=template_id, user_id=user_id)
    await _QUERIES.execute(
        connection, "insert_version", id=template_id, version=1, document=Jsonb(document)
    )
    return await get_template(connection, user_id, template_id)


async def get_template(
    connection: Connection, user_id: str, template_id: str, version: int | None = None
) -> Row:
    """A template of a user's in one of its versions, the newest where none is named.

    Raises:
        NotFoundError: There is none, it was deleted, or it is somebody else's.
    """
    row = await _QUERIES.one(
        connection, "get_template", id=template_id, user_id=user_id, version=version
    )
    if row is None:
        edition = "" if version is None else f" with a version {version}"
        raise NotFoundError(f"There is no template {template_id[:60]}{edition}.")
    return row


async def list_templates(
    connection: Connection, user_id: str, *, limit: int, offset: int
) -> Sequence[Row]:
    """A page of a user's templates in their newest versions, the last changed first."""
    return await _QUERIES.all(
        connection, "list_templates", user_id=user_id, limit=limit, offset=offset
    )


async def revise_template(
    connection: Connection,
    user_id: str,
    template_id: str,
    document: Mapping[str, Any],
    *,
    most: int,
) -> Row:
    """Give a template a new version; one that is equal to the newest changes nothing.

    Raises:
        NotFoundError: There is none, it was deleted, or it is somebody else's.
        ConflictError: It has ``most`` versions already.
    """
    # Two who revise at the same time get one version each.
    locked = await _QUERIES.one(connection, "lock_template", id=template_id, user_id=user_id)
    if locked is None:
        raise NotFoundError(f"There is no template {template_id[:60]}.")
    newest = await get_template(connection, user_id, template_id)
    if newest["document"] == document:
        return newest
    version = locked["version"] + 1
    if version > most:
        raise ConflictError(f"The template has {most} versions, the most; make a new one.")
    await _QUERIES.execute(
        connection, "insert_version", id=template_id, version=version, document=Jsonb(document)
    )
    await _QUERIES.execute(connection, "revise_template", id=template_id, version=version)
    return await get_template(connection, user_id, template_id)


async def delete_template(connection: Connection, user_id: str, template_id: str) -> None:
    """Delete a template; exports that were made with it keep what it was.

    Raises:
        NotFoundError: There is none, it was deleted before, or it is somebody else's.
    """
    if not await _QUERIES.execute(connection, "delete_template", id=template_id, user_id=user_id):
        raise NotFoundError(f"There is no template {template_id[:60]}.")
