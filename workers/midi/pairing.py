"""Which note-off ends which note-on."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

UNPAIRED: Final = -1
"""In place of a partner: the note is never switched off."""


def pair_notes(
    group: npt.NDArray[np.uint16], track: npt.NDArray[np.uint16], is_on: npt.NDArray[np.bool_]
) -> tuple[IntArray, IntArray]:
    """Pair note-ons with note-offs, first in, first out, per track, channel and key.

    A note-off ends the oldest note of its track, channel and key that still sounds; one that
    finds none is ignored. The work is done for all notes at once: within a group, the number
    of sounding notes is the running sum of +1 and -1, lifted by its lowest value so far
    (where that value falls, a note-off found nothing), and then the k-th note-off that found
    something ends the k-th note-on.

    Args:
        group: Channel and key of each message as one number, in the order of the file.
        track: Track of each message, ascending.
        is_on: Whether the message is a note-on.

    Returns:
        Two arrays with a row per note-on: its index, and the index of its note-off, UNPAIRED
        if it has none. Rows are ordered by track, channel and key, then as in the file.
    """
    count = len(group)
    if not count:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # Two stable sorts by 16-bit keys are radix sorts, much faster than one by a wide key.
    order = np.argsort(group, kind="stable")
    order = order[np.argsort(track[order], kind="stable")]
    group, track, is_on = group[order], track[order], is_on[order]

    first = np.empty(count, dtype=np.bool_)
    first[0] = True
    np.not_equal(group[1:], group[:-1], out=first[1:])
    first[1:] |= track[1:] != track[:-1]
    starts = np.flatnonzero(first)
    number = np.cumsum(first) - 1

    # Every group begins so far below the one before that no minimum reaches over.
    step = np.where(is_on, np.int64(1), np.int64(-1))
    level = np.cumsum(step)
    floor = -number * (2 * np.int64(count) + 2)
    level += floor - (level[starts] - step[starts])[number]
    lowest = np.minimum(np.minimum.accumulate(level), floor)
    before = np.empty_like(lowest)
    before[1:] = lowest[:-1]
    before[starts] = floor[starts]
    finds_one = ~is_on & (lowest == before)

    ons = np.flatnonzero(is_on)
    offs = np.flatnonzero(finds_one)
    partner = np.full(len(ons), UNPAIRED, dtype=np.int64)
    ons_before = np.searchsorted(ons, starts)
    offs_before = np.searchsorted(offs, starts)
    rank = np.arange(len(offs)) - offs_before[number[offs]]
    partner[ons_before[number[offs]] + rank] = order[offs]
    return order[ons], partner
