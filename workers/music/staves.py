"""Where notes lie on two staves: how they are spelled, and what stands beside them.

Heights are diatonic steps above middle C: a line of a staff and the space above it are one step
apart. A head is written where it is played in time, so chords are told apart by columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.pitch_names import place_of
from workers.midi import NoteTable
from workers.music.chords import tonic_of

Ints = NDArray[np.int64]

TREBLE: Final = (2, 4, 6, 8, 10)
"""Its lines from below: E, G, B, D, F."""
BASS: Final = (-10, -8, -6, -4, -2)
"""G, B, D, F, A."""
GAP: Final = 4.0
"""Spaces between both staves: room for a ledger line on either side of it."""
_MIDDLE_C: Final = 60
_LEAST_ROOM, _MOST_ROOM = 1.8, 6.5
"""Spaces above and below both staves."""
_RARE: Final = 0.5
"""Percent of the notes that may lie higher, or lower, than there is room for: they are written
an octave nearer."""
_TOGETHER_S: Final = 0.02
"""Notes that begin so close to each other are one chord."""
_LONG_S: Final = 2.0
"""A held note tells no more about the key than one so long."""
_FLAT_SIDE, _SHARP_SIDE = -7, 0
"""The twelve places on the line of fifths begin between C♭ and C, so that none is called by a
double accidental."""
_LETTER: Final = np.array([0, 4, 1, 5, 2, 6, 3])
"""Letters of the line of fifths from C on, as steps above C: C G D A E B F."""
_ACCIDENTAL_STEPS: Final = 6
"""Accidentals whose notes are nearer to each other than that would touch."""
_COLUMNS: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Staves:
    """The notes of a song as heads; columns are as long as ``notes``."""

    notes: NoteTable
    """Those that have a pitch."""
    row: Ints
    """Which row of the song's table each of them is."""
    step: Ints
    """How high its head is written."""
    treble: NDArray[np.bool_]
    """Whether it is written in the upper staff."""
    letter: Ints
    """Its letter: 0 is C, 6 is B."""
    accidental: Ints
    """1 for a sharp, -1 for a flat, 0 for neither."""
    octaves: Ints
    """How many octaves higher it is played than it is written."""
    beside: NDArray[np.bool_]
    """Whether its head stands to the right of the stem, for there is another a step below."""
    column: Ints
    """In which column its accidental stands, from the head leftwards."""
    above: float
    """Spaces above the upper staff."""
    below: float
    """Spaces below the lower one."""

    @property
    def height(self) -> float:
        """Of all of it in spaces."""
        return self.above + 4 + GAP + 4 + self.below

    def depth(self, step: Ints, treble: NDArray[np.bool_]) -> NDArray[np.float64]:
        """How far a step of a staff lies below the upper edge, in spaces."""
        upper = self.above + (TREBLE[-1] - step) / 2
        lower = self.above + 4 + GAP + (BASS[-1] - step) / 2
        return np.where(treble, upper, lower)

    def ledgers(self, index: Ints) -> tuple[Ints, Ints]:
        """The ledger lines of some heads: for each line its step, and which of them has it."""
        step, treble = self.step[index], self.treble[index]
        low = np.where(treble, TREBLE[0], BASS[0])
        high = np.where(treble, TREBLE[-1], BASS[-1])
        up = np.maximum(step - high, 0) // 2
        down = np.maximum(low - step, 0) // 2
        of = np.repeat(np.arange(len(index)), up + down)
        number = np.arange(len(of)) - np.repeat(np.cumsum(up + down) - up - down, up + down) + 1
        # No head has lines both above and below.
        lines = np.where(up[of] > 0, high[of] + 2 * number, low[of] - 2 * number)
        return lines, of


def write_staves(table: NoteTable, apart_s: float) -> Staves:
    """Write the notes of a song.

    Args:
        table: The notes; percussion is left out.
        apart_s: Of notes on one key that begin within a time so long the longest is written:
            heads would cover each other, in the densest of music by the thousand.
    """
    row = np.flatnonzero(~table.is_percussion)
    lowest = lowest_name(table)
    row = _apart(table, row, apart_s)
    notes = table.select(row)
    key = notes.key.astype(np.int64)
    letter, accidental = _spelled(key, lowest)
    natural = key - accidental
    step = (natural // 12 - 5) * 7 + letter
    treble = key >= _MIDDLE_C
    above, high = _room(step[treble] - TREBLE[-1])
    below, low = _room(BASS[0] - step[~treble])
    over = np.where(treble, step - TREBLE[-1] - high, 0)
    under = np.where(treble, 0, BASS[0] - low - step)
    octaves = -(-np.maximum(over, 0) // 7) - -(-np.maximum(under, 0) // 7)
    step = step - 7 * octaves
    apart = np.diff(notes.start_s, prepend=-np.inf) > _TOGETHER_S
    group = np.cumsum(apart, dtype=np.int64)
    beside = np.zeros(len(row), dtype=np.bool_)
    order = np.lexsort((step, treble, group))
    beside[order] = _in_run(group, treble, step, order, 1) % 2 == 1
    column = np.zeros(len(row), dtype=np.int64)
    order = order[accidental[order] != 0]
    column[order] = _in_run(group, treble, step, order, _ACCIDENTAL_STEPS - 1) % _COLUMNS
    return Staves(
        notes=notes,
        row=row.astype(np.int64),
        step=step,
        treble=treble,
        letter=letter,
        accidental=accidental,
        octaves=octaves,
        beside=beside,
        column=column,
        above=above,
        below=below,
    )


def lowest_name(table: NoteTable) -> int:
    """Where the twelve names of notes begin on the line of fifths, as is usual in their key.

    Percussion is left out.
    """
    notes = table.select(~table.is_percussion)
    lasts = np.minimum(notes.end_s - notes.start_s, _LONG_S)
    weights = np.bincount(notes.key % 12, weights=lasts, minlength=12)
    tonic = tonic_of(np.rint(weights * 1000).astype(np.int64))
    return min(max(tonic - 5, _FLAT_SIDE), _SHARP_SIDE)


def _apart(table: NoteTable, row: Ints, apart_s: float) -> Ints:
    """The longest of the notes on each key in each stretch of time."""
    start_s = table.start_s[row]
    stretch = np.floor(start_s / apart_s)
    key = table.key[row].astype(np.int64)
    order = np.lexsort((start_s - table.end_s[row], stretch, key))
    first = np.diff(key[order], prepend=-1) != 0
    first |= np.diff(stretch[order], prepend=-np.inf) != 0
    return np.sort(row[order[first]])


def _spelled(key: Ints, lowest: int) -> tuple[Ints, Ints]:
    """Letters and accidentals, of twelve names from ``lowest`` on."""
    places = np.array([place_of(number, lowest) for number in range(12)])
    return _LETTER[places % 7][key % 12], ((places + 1) // 7)[key % 12]


def _room(beyond: Ints) -> tuple[float, int]:
    """Spaces for heads so many steps beyond a staff, and how many steps there is room for."""
    usual = float(np.percentile(beyond, 100 - _RARE)) if len(beyond) else 0.0
    room = float(np.clip(usual / 2 + 1.2, _LEAST_ROOM, _MOST_ROOM))
    return room, int((room - 1.0) * 2)


def _in_run(group: Ints, treble: NDArray[np.bool_], step: Ints, order: Ints, nearest: int) -> Ints:
    """Places in runs of notes of one chord and staff that are so few steps apart."""
    if not len(order):
        return np.zeros(0, dtype=np.int64)
    near = np.diff(step[order], prepend=step[order[0]] - 99) <= nearest
    near &= np.diff(group[order], prepend=-1) == 0
    near &= np.diff(treble[order].astype(np.int64), prepend=-1) == 0
    at = np.arange(len(order))
    first = np.maximum.accumulate(np.where(near, 0, at))
    return at - first
