"""What workers found of uploads and made of previews: told to who waits for it."""

from __future__ import annotations

from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Queries
from coordinator.database.storable import storable

_QUERIES: Final = Queries("verdicts")


async def accept_asset(connection: Connection, asset_id: str, facts: dict[str, Any]) -> None:
    """Note what is in an uploaded file, which can be used."""
    await _judge(connection, asset_id, "ready", facts, None)


async def reject_asset(connection: Connection, asset_id: str, reason: str) -> None:
    """Note why an uploaded file cannot be used."""
    await _judge(connection, asset_id, "rejected", None, storable(reason))


async def _judge(
    connection: Connection,
    asset_id: str,
    status: str,
    facts: dict[str, Any] | None,
    reason: str | None,
) -> None:
    await _QUERIES.execute(
        connection,
        "judge_asset",
        id=asset_id,
        status=status,
        facts=Jsonb(facts) if facts is not None else None,
        reason=reason,
    )


async def show_preview(connection: Connection, preview_id: str, report: dict[str, Any]) -> None:
    """Let a preview be seen.

    Args:
        connection: Inside a transaction.
        preview_id: Which.
        report: A shared.preview.PreviewReport as plain data.
    """
    await _QUERIES.execute(
        connection,
        "show_preview",
        id=preview_id,
        key=report["key"],
        media_type=report["media_type"],
        width=report["width"],
        height=report["height"],
        size_bytes=report["size_bytes"],
        sha256=report["sha256"],
        warnings=Jsonb(report["warnings"]),
    )


async def fail_preview(connection: Connection, preview_id: str, reason: str) -> None:
    """Note why a preview cannot be made."""
    await _QUERIES.execute(connection, "fail_preview", id=preview_id, reason=storable(reason))
