"""How far exports are, written down and told to clients: no change of state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from coordinator.database.connection import Connection, Queries

_QUERIES: Final = Queries("progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgress:
    """How far an export is."""

    export_id: str
    """Which."""
    frames: int
    """Frames done, those of attempts under way included."""
    progress: float
    """0 … 1."""
    fps: float | None
    """Frames a second lately."""
    eta_s: float | None
    """Seconds that the rest will take."""


async def record_progress(connection: Connection, told: Collection[ExportProgress]) -> None:
    """Note how far exports are, and tell clients."""
    rows = sorted(told, key=lambda row: row.export_id)
    changed = await _QUERIES.all(
        connection,
        "record_progress",
        ids=[row.export_id for row in rows],
        frames=[row.frames for row in rows],
        progress=[row.progress for row in rows],
        fps=[row.fps for row in rows],
        eta_s=[row.eta_s for row in rows],
    )
    ids = sorted(row["id"] for row in changed)
    await _QUERIES.execute(connection, "tell_exports", ids=ids)
