"""Which hand plays a note."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from workers.midi.notes import NoteTable
from workers.midi.song import Song

IntArray = npt.NDArray[np.int64]

LEFT: Final = 0
RIGHT: Final = 1
HAND_SPAN: Final = 14
"""Semitones that a hand can reach: a ninth."""

_LEFT_WORDS: Final = frozenset(
    ("left", "lh", "links", "linke", "linker", "gauche", "mg", "sinistra", "ms")
)
_RIGHT_WORDS: Final = frozenset(
    ("right", "rh", "rechts", "rechte", "rechter", "droite", "md", "destra")
)
_LOW_WORDS: Final = frozenset(("lower", "low", "bass", "down", "unten"))
_HIGH_WORDS: Final = frozenset(("upper", "up", "treble", "discant", "diskant", "oben"))
"""What tracks are called that hold a hand's notes; LilyPond's examples call staves up and down. The
words of the second kind mean other things in other songs: a bass may be a guitar."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_APART: Final = 7
"""Two parts are the two hands where their mean keys are a fifth or more apart."""

_WINDOW_MS: Final = 1000
_CHORD_MS: Final = 30
"""Notes so close together are struck at once."""
_SPLITS: Final = np.arange(129)
"""A split is the lowest key of the right hand."""
_MIDDLE: Final = 60
"""Where hands part if nothing says otherwise: middle C."""
_PULL: Final = 2
"""What a semitone away from it costs, for each note."""
_STRETCH: Final = 60
"""What a semitone beyond a hand's span costs."""
_MOVE: Final = 60
"""What it costs to move the split by a semitone from one second to the next."""
_NEAR: Final = (100, 70, 48, 32, 20, 12, 6)
"""What a note costs that lies so near to the split: hands part where there is room."""
_MOST_NOTES: Final = 255
"""More notes on one key in one second say nothing more."""


def hands(notes: NoteTable, song: Song) -> npt.NDArray[np.uint8]:
    """For each note LEFT or RIGHT; percussion is RIGHT.

    The names of the tracks decide where they name hands; else two parts (pairs of track and
    channel) that lie clearly apart are the hands; else the notes are parted at a key that moves
    with the music. In the last case no chord asks more of a hand than HAND_SPAN where that can
    be helped.
    """
    result = np.full(len(notes), RIGHT, dtype=np.uint8)
    rows = np.flatnonzero(~notes.is_percussion)
    if not len(rows):
        return result
    by_track = _named_hands(notes.track[rows], song)
    if by_track is not None:
        known = by_track[notes.track[rows]]
        result[rows[known == LEFT]] = LEFT
        rows = rows[known < 0]
    else:
        part = notes.track[rows].astype(np.int64) * 16 + notes.channel[rows]
        numbers, inverse = np.unique(part, return_inverse=True)
        if len(numbers) == 2:
            means = np.bincount(inverse, notes.key[rows]) / np.bincount(inverse)
            if abs(means[0] - means[1]) >= _APART:
                result[rows[inverse == means.argmin()]] = LEFT
                return result
    if len(rows):
        result[rows] = _parted(notes.start_s[rows], notes.key[rows].astype(np.int64))
    return result


def _named_hands(tracks: npt.NDArray[np.uint16], song: Song) -> npt.NDArray[np.int8] | None:
    """The hand of each track by its name, -1 where it says none; None where names do not tell.

    They tell where both hands are named; words for high and low count only where every track
    with notes has one.
    """
    used = np.unique(tracks).tolist()
    words = {
        index: {word.lower() for word in _WORD.findall(song.tracks[index].name.replace(".", ""))}
        for index in used
    }
    for left, right, all_of_them in (
        (_LEFT_WORDS, _RIGHT_WORDS, False),
        (_LEFT_WORDS | _LOW_WORDS, _RIGHT_WORDS | _HIGH_WORDS, True),
    ):
        result = np.full(len(song.tracks), -1, dtype=np.int8)
        for index in used:
            says_left, says_right = bool(words[index] & left), bool(words[index] & right)
            if says_left != says_right:
                result[index] = LEFT if says_left else RIGHT
        found = result[used]
        both = (found == LEFT).any() and (found == RIGHT).any()
        if both and not (all_of_them and (found < 0).any()):
            return result
    return None


def _parted(start_s: npt.NDArray[np.float64], key: IntArray) -> npt.NDArray[np.uint8]:
    """The hand of each note by a split that moves with the music; notes in order of time."""
    # Times from the first note: the same music later is played the same.
    time_ms = np.rint((start_s - start_s[0]) * 1000).astype(np.int64)
    begins = np.diff(time_ms, prepend=time_ms[0]) > _CHORD_MS
    chord = np.cumsum(begins)
    order = np.lexsort((key, chord))
    key, chord = key[order], chord[order]
    first = np.flatnonzero(np.diff(chord, prepend=-1))
    windows, window = np.unique(time_ms[order[first]] // _WINDOW_MS, return_inverse=True)
    lowest, highest = key[first], key[np.append(first[1:], len(key)) - 1]
    # The intervals between neighbours of a chord, in which a split may lie: below[i] < split <=
    # above[i], the lowest below all and one more above all for each chord.
    count = len(first)
    below = np.concatenate([key, np.full(count, -1)])
    above = np.concatenate([np.append(key[1:], 0), lowest])
    last = np.append(first[1:], len(key)) - 1
    above[last] = 128
    of = np.concatenate([chord, np.arange(count)])
    left = np.where(below < 0, 0, below - lowest[of])
    right = np.where(above > 127, 0, highest[of] - above)
    stretch = np.maximum(left - HAND_SPAN, 0) + np.maximum(right - HAND_SPAN, 0)
    intervals = (below, above, window[of], stretch)
    split = _moving_split(key, window[chord], intervals, len(windows))
    # Each chord takes the interval with the least stretch, of those the one nearest to the split.
    at = split[window[of]]
    away = np.maximum(below + 1 - at, 0) + np.maximum(at - above, 0)
    rank = stretch * 1024 + away * 2 + (below < 0)
    best = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(best, of, rank)
    chosen = rank == best[of]
    limit = np.zeros(count, dtype=np.int64)
    np.maximum.at(limit, of[chosen], below[chosen] + 1)
    result = np.empty(len(key), dtype=np.uint8)
    result[order] = np.where(key >= limit[chord], RIGHT, LEFT)
    return result


def _moving_split(
    key: IntArray,
    window: IntArray,
    intervals: tuple[IntArray, IntArray, IntArray, IntArray],
    windows: int,
) -> IntArray:
    """The split of each window: the cheapest way through all of them.

    Args:
        key: Key of each note.
        window: Its window.
        intervals: Lower and upper end, window and stretch of each interval that a split may lie in.
        windows: How many there are.
    """
    below, above, of, stretch = intervals
    histogram = np.bincount(window * 128 + key, minlength=windows * 128).reshape(windows, 128)
    histogram = np.minimum(histogram, _MOST_NOTES)
    # Whole numbers below 2^24: exact in this type, in whatever order they are added.
    near = histogram.astype(np.float32) @ _nearness()
    cost = near.astype(np.int64)
    cost += histogram.sum(axis=1)[:, None] * np.abs(_SPLITS - _MIDDLE) * _PULL
    width = len(_SPLITS) + 1
    wide = stretch > 0
    steps = np.zeros(windows * width, dtype=np.int64)
    np.add.at(steps, of[wide] * width + below[wide] + 1, stretch[wide])
    np.subtract.at(steps, of[wide] * width + above[wide] + 1, stretch[wide])
    cost += np.cumsum(steps.reshape(windows, width), axis=1)[:, :-1] * _STRETCH
    return _cheapest_way(cost)


def _nearness() -> npt.NDArray[np.float32]:
    """What a note on each key costs for each split."""
    away = np.abs(2 * np.arange(128)[:, None] - 2 * _SPLITS[None, :] + 1) // 2
    costs: npt.NDArray[np.float32] = np.array([*_NEAR, 0], dtype=np.float32)
    near: npt.NDArray[np.float32] = costs[np.minimum(away, len(_NEAR))]
    return near


def _cheapest_way(cost: IntArray) -> IntArray:
    """The column to be in for each row, where each step aside costs _MOVE."""
    slope = _MOVE * np.arange(cost.shape[1])
    reached = np.empty_like(cost)
    reached[0] = cost[0]
    for row in range(1, len(cost)):
        before = reached[row - 1]
        # From below and from above: the minimum over all columns of what they cost and the way.
        up = np.minimum.accumulate(before - slope) + slope
        down = (np.minimum.accumulate((before + slope)[::-1])[::-1]) - slope
        np.add(np.minimum(up, down), cost[row], out=reached[row])
    way = np.empty(len(cost), dtype=np.int64)
    way[-1] = reached[-1].argmin()
    for row in range(len(cost) - 2, -1, -1):
        way[row] = (reached[row] + np.abs(slope - slope[way[row + 1]])).argmin()
    return way
