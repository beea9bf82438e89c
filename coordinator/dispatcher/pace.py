"""How fast an export goes, and how long the rest will take. Pure, but for the time it is told."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW_S: Final = 10.0
"""The pace is that of the last ten seconds."""


class Pace:
    """Frames done over time."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def note(self, now_s: float, frames: int) -> None:
        """Note how many frames are done."""
        if self._marks and frames < self._marks[-1][1]:
            self._marks.clear()  # something is made again
        self._marks.append((now_s, frames))
        while len(self._marks) > 2 and now_s - self._marks[1][0] >= WINDOW_S:
            self._marks.popleft()

    @property
    def fps(self) -> float | None:
        """Frames a second lately; None while that is not known."""
        if len(self._marks) < 2:
            return None
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return max(0, last - first) / (last_s - first_s) if last_s > first_s else None

    def eta_s(self, frames_left: int) -> float | None:
        """Seconds that the rest will take; None while that is not known."""
        fps = self.fps
        return frames_left / fps if fps else None
