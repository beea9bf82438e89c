"""What was put right while reading a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One thing that was wrong with a file, and what was made of it."""

    track: int | None
    """Number of the track counted from 0, None where it concerns the whole file."""
    offset: int
    """Where in the file, in bytes from its start."""
    message: str
    """A sentence that says what was wrong and what was done."""

    def __str__(self) -> str:
        where = "" if self.track is None else f"track {self.track}, "
        return f"{where}byte {self.offset}: {self.message}"


class RepairLog:
    """Collects repairs, keeps the first ``limit`` of them and counts the others."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[Repair] = []
        self._left_out = 0
        self._last_offset = 0

    def add(self, track: int | None, offset: int, message: str) -> None:
        """Note down a repair."""
        if len(self._kept) < self._limit:
            self._kept.append(Repair(track=track, offset=offset, message=message))
        else:
            self._left_out += 1
            self._last_offset = offset

    def repairs(self) -> tuple[Repair, ...]:
        """All repairs in the order in which they were made; the last may stand for many."""
        if not self._left_out:
            return tuple(self._kept)
        rest = Repair(
            track=None,
            offset=self._last_offset,
            message=f"{self._left_out} more repairs are not listed.",
        )
        return (*self._kept, rest)
