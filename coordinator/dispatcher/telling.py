"""Telling clients how far exports are, a few times a second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from coordinator.database import Database, Row, work
from coordinator.database.progress import ExportProgress, record_progress
from coordinator.dispatcher.pace import Pace
from coordinator.dispatcher.running import Running
from coordinator.progress import progress_of

_KEPT_S: Final = 60.0
"""Between two of its chunks an export may wait for others' turns."""
MOST_TOLD: Final = 100
"""Exports that are told of at a time; where more are under way, they take turns."""


class Telling:
    """What is known of the exports under way."""

    def __init__(self, database: Database) -> None:
        """Tell through ``database``."""
        self._database = database
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._seen_s: dict[str, float] = {}
        self._told_s: dict[str, float] = {}

    async def tell(self, attempts: Iterable[Running], now_s: float) -> dict[str, Row]:
        """Write down how far the exports are that have chunks under way.

        Returns:
            How those exports stand, by their ids.
        """
        parts = _frames_under_way(attempts)
        async with self._database.transaction() as connection:
            rows = await work.exports_under_way(connection, list(parts))
        # In the order in which their attempts began, whatever order the database has.
        rendering = {
            export_id: row
            for export_id in parts
            if (row := rows.get(export_id)) and row["status"] == "rendering" and row["frames"]
        }
        told = [
            self._progress(export_id, row, parts[export_id], now_s)
            for export_id, row in rendering.items()
        ]
        told = whose_turn(told, self._told_s)
        self._told_s.update((each.export_id, now_s) for each in told)
        if told:
            async with self._database.transaction() as connection:
                await record_progress(connection, told)
        self._forget(parts, now_s)
        return rendering

    def _progress(self, export_id: str, row: Row, part: int, now_s: float) -> ExportProgress:
        frames = min(row["frames"], row["frames_committed"] + part)
        pace = self._paces[export_id]
        pace.note(now_s, frames)
        # An attempt that is made again begins anew; what is told never goes back.
        done = max(frames, row["frames_done"])
        return ExportProgress(
            export_id=export_id,
            frames=done,
            progress=progress_of(done, row["frames"]),
            fps=pace.fps,
            eta_s=pace.eta_s(row["frames"] - frames),
        )

    def _forget(self, under_way: Collection[str], now_s: float) -> None:
        """Forget exports that have had nothing under way for a while."""
        self._seen_s.update(dict.fromkeys(under_way, now_s))
        for export_id in [known for known, at in self._seen_s.items() if now_s - at > _KEPT_S]:
            del self._seen_s[export_id]
            self._paces.pop(export_id, None)
            self._told_s.pop(export_id, None)


def whose_turn(told: Sequence[ExportProgress], told_s: Mapping[str, float]) -> list[ExportProgress]:
    """Those exports that are told of now: those first of which that was done longest ago.

    Args:
        told: How far exports are.
        told_s: When they were told of last, by their ids.
    """
    return sorted(told, key=lambda each: told_s.get(each.export_id, 0.0))[:MOST_TOLD]


def _frames_under_way(attempts: Iterable[Running]) -> dict[str, int]:
    """Frames that attempts have done, by export; of two attempts of a chunk, the better one's."""
    best: dict[tuple[str, int], int] = {}
    for running in attempts:
        if running.item.kind == "chunk" and running.item.export_id is not None:
            place = running.item.export_id, running.item.id
            best[place] = max(best.get(place, 0), running.frames)
    frames: dict[str, int] = {}
    for (export_id, _), done in best.items():
        frames[export_id] = frames.get(export_id, 0) + done
    return frames
