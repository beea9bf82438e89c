"""What is hidden: how far notes are seen before others of their key cover the rest of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.layers.scene import Floats

WHOLE: Final = 1e6
"""Pixels of a note that is seen whole."""

_APART: Final = 1e6
"""Pixels by which keys are set apart, to look at all of them on one axis."""
_ROUNDS: Final = 5
"""How often a stretch is followed on; where it goes on after that, more is drawn than is seen."""


def seen_lengths(
    key: NDArray[np.uint8], begin: Floats, end: Floats, corner: Floats, light: Floats
) -> Floats:
    """How much of each note must be drawn, from its beginning on, in pixels, float32 (n,).

    A song with fifty thousand notes on screen would be drawn many times over. What is left out
    lies wholly beneath the flat parts of later notes, so that it makes no difference. Of sounding
    notes it is left out only where the next one shines itself.

    Args:
        key: Of each note, in the order in which they are drawn.
        begin: Pixels from the line to where each begins, ascending within a key.
        end: The same to where it ends.
        corner: Pixels at both ends of it that cover nothing.
        light: How brightly it sounds.

    Returns:
        WHOLE for those of which nothing may be left out.
    """
    seen = np.full(len(key), WHOLE, dtype=np.float32)
    order = np.argsort(key, kind="stable")
    key, begin, light = key[order], begin[order], light[order]
    apart = key.astype(np.float64) * _APART
    first = apart + begin + corner[order] + 1
    final = apart + end[order]
    last = final - corner[order] - 1
    flat = np.flatnonzero(last > first)
    if len(flat) == 0:
        return seen
    # The next one with a flat part after each note.
    after = np.cumsum(np.bincount(flat, minlength=len(key)))
    after[after == len(flat)] = 0  # there is none: the first lies before it, and covers nothing
    other = flat[after]
    hidden = (first[other] < final) & (other > np.arange(len(key))) & (key[other] == key)
    hidden &= (light <= 0) | (light[other] > 0)
    rows = np.flatnonzero(hidden)
    if len(rows) == 0:
        return seen
    rows = rows[_covered(first[flat], last[flat])[after[rows]] > final[rows] + 1]
    seen[order[rows]] = first[other[rows]] - apart[rows] - begin[rows]
    return seen


def _covered(first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the stretch ends that each interval covers with those after it without a gap, (n,).

    Args:
        first: Beginnings of intervals, ascending but for corners of different sizes.
        last: Their ends.
    """
    # The greatest end of 1, 2, 4 … intervals from each on.
    greatest = [last]
    step = 1
    while 2 * step <= len(last):
        longer = greatest[-1].copy()
        np.maximum(longer[:-step], greatest[-1][step:], out=longer[:-step])
        greatest.append(longer)
        step *= 2
    table = np.stack(greatest)
    place, reached = np.arange(len(last)), last
    for _ in range(_ROUNDS):
        count = np.maximum(np.searchsorted(first, reached, side="right") - place, 1)
        level = np.frexp(count)[1] - 1
        further = np.maximum(table[level, place], table[level, place + count - (1 << level)])
        if np.array_equal(further, reached):
            break
        reached = further
    return reached
