"""What work tells of itself while it runs, and how it hears that it is to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Piece = TypeVar("_Piece")

Progress = Callable[[int], None]
"""Called often with the number of frames done (0 for work that has none); raises CancelledError
to stop the work."""


def untold(frames: int) -> None:
    """Progress of work that nobody watches."""


def watched(pieces: Iterable[_Piece], progress: Progress) -> Iterator[_Piece]:
    """Pass pieces on, and stop between two of them if ``progress`` says so."""
    for piece in pieces:
        progress(0)
        yield piece
