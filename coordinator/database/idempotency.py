"""Requests that may come twice and are to be fulfilled once (Idempotency-Key)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Queries

_QUERIES: Final = Queries("idempotency")

KEPT_S: Final = 3 * 86400.0
"""How long an answer can be had again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request was answered."""

    request_hash: bytes
    """SHA-256 of that request."""
    status: int
    """Of HTTP."""
    body: Any
    """JSON."""


async def begin(connection: Connection, user_id: str, key: str, request_hash: bytes) -> bool:
    """Take a key in the transaction that fulfils its request; whether it was free."""
    row = await _QUERIES.one(
        connection, "begin", user_id=user_id, key=key, request_hash=request_hash
    )
    return row is not None


async def answered(connection: Connection, user_id: str, key: str) -> Answer | None:
    """What was answered under a key; None where nothing was."""
    row = await _QUERIES.one(connection, "answered", user_id=user_id, key=key)
    if row is None:
        return None
    return Answer(request_hash=row["request_hash"], status=row["status"], body=row["response"])


async def keep(connection: Connection, user_id: str, key: str, status: int, body: Any) -> None:
    """Note the answer, in the same transaction."""
    await _QUERIES.execute(
        connection, "keep", user_id=user_id, key=key, status=status, response=Jsonb(body)
    )
