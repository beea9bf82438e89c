"""How dense a song is, as it is drawn beneath it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from workers.midi.notes import NoteTable

_MARGIN: Final = 1e-6
"""Of a part: a note that ends where the next part begins does not sound in it, despite rounding."""


def note_density(notes: NoteTable, duration_s: float, parts: int) -> npt.NDArray[np.int64]:
    """How many notes sound, be it for a moment, in each of equal parts of a song.

    So neither staccato nor long chords leave gaps, as a mean over time or the number of notes
    that begin would; a million notes take some milliseconds.

    Args:
        notes: The notes of the song.
        duration_s: Its length.
        parts: How many parts.

    Returns:
        A number for each part; zeros for a song without length.
    """
    if duration_s <= 0:
        return np.zeros(parts, np.int64)
    place = parts / duration_s
    first = np.floor(notes.start_s * place + _MARGIN).clip(0, parts - 1).astype(np.int64)
    stop = np.ceil(notes.end_s * place - _MARGIN).clip(first + 1, parts).astype(np.int64)
    changes = np.bincount(first, minlength=parts + 1) - np.bincount(stop, minlength=parts + 1)
    return np.cumsum(changes[:parts])
