"""The board on which workers write how far they are and read whether to stop."""

from __future__ import annotations

import time
from typing import Any, Final

import ray

from shared.errors import CancelledError

_INTERVAL_S: Final = 0.25
"""A worker reports at most this often."""


@ray.remote(num_cpus=0, max_restarts=-1)
class ProgressBoard:
    """An actor that holds the progress of the attempts under way.

    It holds nothing that matters: after a crash it starts empty and fills within a second.
    """

    def __init__(self) -> None:
        """Start with an empty board."""
        self._frames: dict[str, int] = {}
        self._cancelled: set[str] = set()

    def report(self, attempt: str, frames: int) -> bool:
        """Note the frames that an attempt has done; True tells it to stop."""
        self._frames[attempt] = frames
        return attempt in self._cancelled

    def cancel(self, attempts: list[str]) -> None:
        """Have attempts told to stop when they report next."""
        self._cancelled.update(attempts)

    def forget(self, attempt: str) -> None:
        """Drop an attempt that has ended."""
        self._frames.pop(attempt, None)
        self._cancelled.discard(attempt)

    def frames(self) -> dict[str, int]:
        """Frames done by each attempt that has reported."""
        return dict(self._frames)


class Reporter:
    """A worker's side: reports a few times a second, and raises when told to stop."""

    def __init__(self, board: Any, attempt: str) -> None:
        """Report on an attempt to a board's actor handle."""
        self._board = board
        self._attempt = attempt
        self._next_s = time.monotonic() + _INTERVAL_S
        self._answer: Any = None

    def __call__(self, frames: int) -> None:
        """Note the number of frames done.

        Raises:
            CancelledError: The attempt was cancelled.
        """
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _INTERVAL_S
        # The answer to the report before: drawing never waits for the network.
        if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
            try:
                stop = ray.get(self._answer)
            except ray.exceptions.RayError:
                stop = False  # a board that is starting again forgets, and is told again
            if stop:
                raise CancelledError("The attempt was cancelled.", attempt=self._attempt)
        self._answer = self._board.report.remote(self._attempt, frames)
