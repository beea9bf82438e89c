"""The audit log: what operators and admins did, and to what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.storable import storable

_QUERIES: Final = Queries("audit")


class Actor(Protocol):
    """Who does something."""

    @property
    def user_id(self) -> str:
        """As which user."""
        ...

    @property
    def key_id(self) -> str | None:
        """With which key; None with a token of the identity provider's."""
        ...


async def note(
    connection: Connection, actor: Actor, action: str, target: str | None = None, **detail: Any
) -> None:
    """Note what somebody does, in the transaction that does it.

    Args:
        connection: Inside that transaction.
        actor: Who does it.
        action: A fixed word: ``farm.pause``, ``node.drain``, ``quota.set``, …
        target: What it is done to; None for the whole farm.
        detail: What else should be remembered; plain data, no secrets.
    """
    await _QUERIES.execute(
        connection,
        "note",
        user_id=actor.user_id,
        key_id=actor.key_id,
        action=action,
        target=target,
        detail=Jsonb(storable(detail)),
    )


async def list_entries(
    connection: Connection, *, limit: int, before: int | None = None, target: str | None = None
) -> Sequence[Row]:
    """What was done, newest first; before an entry, to one target."""
    return await _QUERIES.all(connection, "list_entries", limit=limit, before=before, target=target)
