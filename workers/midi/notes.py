"""The notes of a song as columns, with an index by time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

PERCUSSION_CHANNEL: Final = 9
"""Channel 10 of General MIDI, counted from 0."""
_SHORTEST_CLASS: Final = -6
_LONGEST_CLASS: Final = 20
_MARGIN_S: Final = 1e-6
"""The index looks so much further back than the longest note of a class, against rounding."""

COLUMNS: Final[dict[str, type[Any]]] = {
    "start_s": np.float64,
    "end_s": np.float64,
    "key": np.uint8,
    "velocity": np.uint8,
    "channel": np.uint8,
    "track": np.uint16,
}
"""The columns of a table and their types."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NoteTable:
    """Notes, one per row, in order of ``start_s``, then key, channel and track.

    Notes of one key that overlap are rows of their own. The columns are read-only and equally
    long. :meth:`build` sorts rows that are in no order.
    """

    start_s: FloatArray
    """When the note begins, in seconds from the start of the song."""
    end_s: FloatArray
    """When it ends, in seconds, after its start."""
    key: npt.NDArray[np.uint8]
    """Key, 0 to 127; 60 is middle C."""
    velocity: npt.NDArray[np.uint8]
    """How hard it is struck, 1 to 127."""
    channel: npt.NDArray[np.uint8]
    """Channel, 0 to 15; 9 is percussion."""
    track: npt.NDArray[np.uint16]
    """Number of its track, counted from 0."""

    def __post_init__(self) -> None:
        for name, kind in COLUMNS.items():
            column = np.ascontiguousarray(getattr(self, name), dtype=kind)
            if column.shape != (len(self.start_s),):
                raise ValueError(f"the column {name} of the notes has another length")
            column = column.view()
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        if np.any(self.start_s[1:] < self.start_s[:-1]):
            raise ValueError("the notes are not in order; NoteTable.build puts them in order")

    @classmethod
    def build(cls, **columns: npt.NDArray[Any]) -> NoteTable:
        """Make a table from columns with rows in any order; equals keep theirs."""
        order = np.lexsort([columns[name] for name in ("track", "channel", "key", "start_s")])
        return cls(**{name: columns[name][order] for name in COLUMNS})

    @classmethod
    def empty(cls) -> NoteTable:
        """A table without notes."""
        return cls(**{name: np.zeros(0, dtype=kind) for name, kind in COLUMNS.items()})

    def __len__(self) -> int:
        return len(self.start_s)

    @cached_property
    def is_percussion(self) -> npt.NDArray[np.bool_]:
        """For each note, whether it is on the percussion channel."""
        return np.equal(self.channel, PERCUSSION_CHANNEL)

    def select(self, rows: npt.NDArray[Any]) -> NoteTable:
        """The table of some of the notes: a mask, or ascending indices."""
        return NoteTable(**{name: getattr(self, name)[rows] for name in COLUMNS})

    def started(self, t0: float, t1: float) -> IndexArray:
        """Indices of the notes that begin in ``[t0, t1)`` seconds, ascending."""
        low, high = np.searchsorted(self.start_s, (t0, t1), side="left")
        return np.arange(low, high, dtype=np.intp)

    def visible(self, t0: float, t1: float) -> IndexArray:
        """Indices of the notes that sound at some time in ``[t0, t1)`` seconds, ascending.

        A note sounds in ``[start_s, end_s)``, so these are the notes with ``start_s < t1`` and
        ``end_s > t0``. Notes are kept in classes by length (each up to twice as long as the
        class before). In a class those that come into question lie side by side: they began
        after ``t0`` less the length of its longest note. So neither the number of notes in
        the song nor a few very long ones make the search slow.
        """
        found = []
        for starts, ends, rows, longest in self._classes:
            low = starts.searchsorted(t0 - longest, side="left")
            high = starts.searchsorted(t1, side="left")
            if low < high:
                found.append(rows[low:high][ends[low:high] > t0])
        if not found:
            return np.zeros(0, dtype=np.intp)
        if len(found) == 1:
            return found[0]
        together = np.concatenate(found)
        together.sort()
        return together

    @cached_property
    def _classes(self) -> tuple[tuple[FloatArray, FloatArray, IndexArray, float], ...]:
        """Starts, ends and indices of the notes of each class, and its greatest length."""
        length = self.end_s - self.start_s
        _, exponent = np.frexp(length)
        exponent = np.clip(exponent, _SHORTEST_CLASS, _LONGEST_CLASS).astype(np.int8)
        order = np.argsort(exponent, kind="stable")
        edges = np.flatnonzero(np.diff(exponent[order])) + 1
        return tuple(
            (self.start_s[rows], self.end_s[rows], rows, float(length[rows].max()) + _MARGIN_S)
            for rows in np.split(order, edges)
            if len(rows)
        )
