"""Where the keys of a piano lie.

Positions are in widths of a white key, from the left edge of the lowest key shown. A black key
is 13.7 mm wide beside a white key's 23.5 mm, and sits off centre as on a real keyboard: the two
of a pair and the outer two of the three lean outwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

LOWEST_KEY: Final = 21
"""A0, the lowest key of a piano."""
HIGHEST_KEY: Final = 108
"""C8, the highest."""

BLACK_WIDTH: Final = 13.7 / 23.5
BLACK_LENGTH: Final = 95 / 150
"""Length of a black key beside a white key's."""

_WHITE_INDEX: Final = (0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6)
"""How many white keys of the octave lie left of each pitch class (for black: left of its centre,
less one)."""
_WHITE_STEPS: Final = (0, 2, 4, 5, 7, 9, 11)
"""Pitch classes of the white keys."""
_BLACK_LEAN: Final = {1: -0.12, 3: 0.12, 6: -0.15, 8: 0.0, 10: 0.15}
"""How far a black key's centre lies right of the gap between its white neighbours."""
_MIN_USED: Final = 36
"""The used range is widened to three octaves, so that keys stay recognisable as keys."""


def is_black(key: int) -> bool:
    """Whether a MIDI key is a black key."""
    return key % 12 in _BLACK_LEAN


def _white_number(key: int) -> int:
    return key // 12 * 7 + _WHITE_INDEX[key % 12]


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The keys shown, both ends included and white."""

    low: int
    """Lowest MIDI key shown."""
    high: int
    """Highest MIDI key shown."""

    @property
    def white_keys(self) -> int:
        """How many white keys there are: the width of the keyboard."""
        return _white_number(self.high) - _white_number(self.low) + 1

    def span(self, key: int) -> tuple[float, float]:
        """Left and right edge of a key in widths of a white key."""
        left = float(_white_number(key) - _white_number(self.low))
        if not is_black(key):
            return left, left + 1.0
        centre = left + 1.0 + _BLACK_LEAN[key % 12]
        return centre - BLACK_WIDTH / 2, centre + BLACK_WIDTH / 2


def piano_range(lowest: int, highest: int) -> KeyRange:
    """The 88 keys of a piano, widened where a song goes beyond them."""
    return KeyRange(_white_at_or_below(min(lowest, LOWEST_KEY)), _above(max(highest, HIGHEST_KEY)))


def used_range(lowest: int, highest: int) -> KeyRange:
    """The keys that a song uses with a little room on both sides, three octaves at least."""
    low, high = lowest - 2, highest + 2
    missing = _MIN_USED - (high - low + 1)
    if missing > 0:
        low, high = low - (missing + 1) // 2, high + missing // 2
    if low < 0:
        low, high = 0, high - low
    if high > 127:
        low, high = low - (high - 127), 127
    return KeyRange(_white_at_or_below(max(low, 0)), _above(min(high, 127)))


def with_room(keys: KeyRange, low_side: float, high_side: float) -> KeyRange:
    """More keys on both sides, so that those wanted leave room at the ends of the keyboard.

    Args:
        keys: Those wanted.
        low_side: Fraction of the whole keyboard's width to be left free of them at its low end.
        high_side: The same at its high end; both together less than 1. MIDI has 128 keys, so
            there may be less room than was asked for.
    """
    if low_side <= 0 and high_side <= 0:
        return keys
    first, last = _white_number(keys.low), _white_number(keys.high)
    whole = last - first + 1
    while True:
        below, above = math.ceil(low_side * whole), math.ceil(high_side * whole)
        if whole - below - above >= last - first + 1:
            break
        whole += 1
    low, high = max(first - below, 0), min(last + above, _white_number(127))
    return KeyRange(_white_key(low), _white_key(high))


def _white_key(number: int) -> int:
    """The MIDI key of a white key, counted from the lowest."""
    return number // 7 * 12 + _WHITE_STEPS[number % 7]


def _white_at_or_below(key: int) -> int:
    return key - 1 if is_black(key) else key


def _above(key: int) -> int:
    return key + 1 if is_black(key) else key
