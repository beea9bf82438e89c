"""API keys: who may use the service, and as which user."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import psycopg

from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from coordinator.scopes import Scope
from shared.errors import ConflictError, NotFoundError

_QUERIES: Final = Queries("api_keys")

PREFIX: Final = "mf_"
"""What every token begins with, so that one which leaked is found by those who search for it."""


def new_token() -> str:
    """A token that nobody can guess: ``mf_`` and 43 characters (256 bits)."""
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def create_key(
    connection: Connection,
    *,
    user_id: str,
    name: str,
    scope: Scope = Scope.USER,
    expires_at: datetime | None = None,
    token: str | None = None,
    is_session: bool = False,
    opened_with: str | None = None,
) -> tuple[str, Row]:
    """Make a key for a user, who need not be known before.

    Args:
        connection: Inside a transaction.
        user_id: Who uses the service with it.
        name: What it is for.
        scope: What may be done with it.
        expires_at: When it is valid no more; None for never.
        token: The token where the caller has one already; a new one without it.
        is_session: Whether a browser holds it in a cookie.
        opened_with: The key that somebody signed in with; revoked, it takes this one with it.

    Returns:
        The token, which is stored nowhere, and the key.

    Raises:
        ConflictError: The token belongs to a key already.
    """
    token = token or new_token()
    try:
        row = await _QUERIES.one(
            connection,
            "insert_key",
            id=new_id("key"),
            user_id=user_id,
            name=name,
            token_hash=token_hash(token),
            scope=str(scope),
            expires_at=expires_at,
            is_session=is_session,
            opened_with=opened_with,
        )
    except psycopg.errors.UniqueViolation as exc:
        raise ConflictError("There is a key with this token already.") from exc
    assert row is not None  # noqa: S101  # inserted above
    return token, row


async def find_key(connection: Connection, token: str) -> Row | None:
    """The key that a token belongs to, unless it was revoked; None where there is none.

    Its row says beside the key whether it ``is_expired``, and how many seconds it has left
    (``left_s``; None: it does not expire).
    """
    return await _QUERIES.one(connection, "find_key", token_hash=token_hash(token))


async def note_use(connection: Connection, key_id: str) -> None:
    """Note that a key was used; written once a minute at most."""
    await _QUERIES.execute(connection, "note_use", id=key_id)


async def list_keys(
    connection: Connection, user_id: str | None, *, limit: int, offset: int
) -> Sequence[Row]:
    """The keys of a user, or of everybody (None), newest first; those revoked too."""
    return await _QUERIES.all(connection, "list_keys", user_id=user_id, limit=limit, offset=offset)


async def revoke_key(connection: Connection, user_id: str | None, key_id: str) -> Row:
    """Revoke a key; a second time does no harm.

    Args:
        connection: Inside a transaction.
        user_id: Whose it must be; None for anybody's.
        key_id: Which.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    row = await _QUERIES.one(connection, "revoke_key", id=key_id, user_id=user_id)
    if row is None:
        raise NotFoundError(f"There is no key {key_id[:60]}.")
    return row


async def end_session(connection: Connection, key_id: str) -> None:
    """Forget a session; a key that is none stays as it is."""
    await _QUERIES.execute(connection, "end_session", id=key_id)
