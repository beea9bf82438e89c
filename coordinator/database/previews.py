"""Previews: what somebody looks at before an export, or while it renders; kept for some hours."""

from __future__ import annotations

from typing import Final

from psycopg.types.json import Jsonb

from coordinator.database import transitions
from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.exports import new_id
from shared.errors import ConflictError, NotFoundError
from shared.preview import PreviewSpec

_QUERIES: Final = Queries("previews")

CHANNEL: Final = "midifarm_previews"
"""PostgreSQL notifies it of every preview that is ready or has failed, by its id."""
KEPT_S: Final = 6 * 3600.0
"""How long a preview can be had; the same one is made again in a moment."""
MOST_PENDING: Final = 20
"""Previews that one user may wait for at a time, since they come before everybody's exports."""


async def create_preview(connection: Connection, user_id: str, spec: PreviewSpec) -> Row:
    """Have a worker make a preview; one that stands already is found.

    Returns:
        The preview, as get_preview() has it.

    Raises:
        ConflictError: The user waits for too many already.
    """
    pending = await _QUERIES.one(connection, "count_pending", user_id=user_id)
    if pending is not None and pending["count"] >= MOST_PENDING:
        raise ConflictError(
            f"You wait for {pending['count']} previews already; ask again when one is there."
        )
    preview_id = new_id("prv")
    await _QUERIES.execute(
        connection,
        "insert_preview",
        id=preview_id,
        user_id=user_id,
        spec=Jsonb(spec.model_dump(mode="json")),
        kept_s=KEPT_S,
    )
    await transitions.queue_preview(connection, preview_id, user_id, spec)
    return await get_preview(connection, user_id, preview_id)


async def get_preview(connection: Connection, user_id: str, preview_id: str) -> Row:
    """One preview of a user's.

    ``status`` is pending, ready or failed. A ready one has ``object_key``, ``media_type``,
    ``width``, ``height``, ``size_bytes``, ``sha256`` and ``warnings``, a failed one a ``reason``.

    Raises:
        NotFoundError: There is none any more, or it is somebody else's.
    """
    row = await _QUERIES.one(connection, "get_preview", id=preview_id, user_id=user_id)
    if row is None:
        raise NotFoundError(
            f"There is no preview {preview_id[:60]}; previews are kept for "
            f"{KEPT_S / 3600:.0f} hours.",
            preview=preview_id[:60],
        )
    return row
