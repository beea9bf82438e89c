"""Finding back into a track after bytes that make no sense."""

from __future__ import annotations

from enum import Enum
from typing import Final

_WANTED: Final = 8
"""So many events in a row that make sense are no accident."""
_WINDOW_BYTES: Final = 1024
"""How far :func:`find_clean` looks."""
_NEAR_BYTES: Final = 4
"""About as long as an event: so far :func:`find_clean` compares."""
_END_OF_TRACK: Final = 0x2F


class Fix(Enum):
    """What to make of a byte of 0x80 or more where the data of a channel message should be."""

    STATUS = "the message was cut off and that byte begins another"
    REAL_TIME = "that byte is a real-time message inside the message and was skipped"
    CLAMP = "that byte was read as 127"
    DELTA = "the message was cut off and that byte begins the time to the next one"


def best_fix(data: bytes, bad: int, first: int, size: int, status: int, stop: int) -> Fix:
    """The reading after which most of the following events make sense.

    Args:
        data: The file.
        bad: Where the byte is.
        first: Where the data of the message begins.
        size: How many bytes of data the message should have.
        status: Status byte of the message.
        stop: Where the track ends.
    """
    scores: dict[Fix, float] = {Fix.STATUS: clean_events(data, bad, stop, 0, at_status=True)}
    if 0xF8 <= data[bad] <= 0xFE:
        scores[Fix.REAL_TIME] = clean_events(data, first + size + 1, stop, status)
    others = data[first:bad] + data[bad + 1 : first + size]
    if all(byte < 0x80 for byte in others):
        scores[Fix.CLAMP] = clean_events(data, first + size, stop, status)
    scores[Fix.DELTA] = clean_events(data, bad, stop, status)
    # Of equals, max takes the first. A track mostly stays on one channel, so a status byte of
    # another one is rather a value that is too large.
    if data[bad] < 0xF0 and (data[bad] ^ status) & 0x0F and Fix.CLAMP in scores:
        scores[Fix.CLAMP] += 0.5
    return max(scores, key=lambda fix: scores[fix])


def clean_events(data: bytes, at: int, stop: int, status: int, *, at_status: bool = False) -> int:
    """How many of the next few events make sense when reading on at ``at``.

    Args:
        data: The file.
        at: Where a delta time begins, or a status byte if ``at_status``.
        stop: Where the track ends.
        status: Running status in force, 0 for none.
        at_status: Whether there is no delta time before the first event.
    """
    return _look_ahead(data, at, stop, status, at_status=at_status)[0]


def find_clean(data: bytes, at: int, stop: int) -> int | None:
    """The next place from which events make sense, None if there is none near by."""
    for place in range(at, min(at + _WINDOW_BYTES, stop)):
        if clean_events(data, place, stop, 0) == _WANTED:
            # A status byte can pass for the first byte of a pause, and then everything looks
            # right, only much slower: of the next few places the one with the shortest pauses.
            looks = [
                (ticks, near)
                for near in range(place, min(place + _NEAR_BYTES, stop))
                for count, ticks in [_look_ahead(data, near, stop, 0, at_status=False)]
                if count == _WANTED
            ]
            return min(looks)[1]
    return None


def _look_ahead(
    data: bytes, at: int, stop: int, status: int, *, at_status: bool
) -> tuple[int, int]:
    """How many of the next few events make sense, and how many ticks they take."""
    ticks = 0
    for count in range(_WANTED):
        if at == stop:
            return _WANTED, ticks
        if not at_status:
            begin, at = at, _after_number(data, at, stop)
            ticks += number_at(data, begin, at)
        at_status = False
        if not 0 < at < stop:
            return count, ticks
        byte = data[at]
        if byte >= 0xF0:
            if byte == 0xFF and data[at : at + 3] == b"\xff\x2f\x00" and at + 3 <= stop:
                return _WANTED, ticks
            at = _after_long_event(data, at, stop)
        else:
            if byte >= 0x80:
                status = byte
                at += 1
            size = 1 if 0xC0 <= status < 0xE0 else 2
            values = data[at : at + size]
            at = at + size if status and len(values) == size and max(values) < 0x80 else 0
        if not 0 < at <= stop:
            return count, ticks
    return _WANTED, ticks


def _after_long_event(data: bytes, at: int, stop: int) -> int:
    """Where the meta or system exclusive event at ``at`` ends, 0 if it makes no sense."""
    if data[at] == 0xFF:
        at += 1
        if at >= stop or data[at] >= 0x80 or data[at] == _END_OF_TRACK:
            return 0
    elif data[at] not in (0xF0, 0xF7):
        return 0
    begin = _after_number(data, at + 1, stop)
    return begin + number_at(data, at + 1, begin) if begin else 0


def number_at(data: bytes, at: int, stop: int) -> int:
    """The variable-length number in ``data[at:stop]``."""
    value = 0
    for byte in data[at:stop]:
        value = value << 7 | byte & 0x7F
    return value


def _after_number(data: bytes, at: int, stop: int) -> int:
    """Where the variable-length number at ``at`` ends, 0 if it has more than four bytes."""
    for place in range(at, min(at + 4, stop)):
        if data[place] < 0x80:
            return place + 1
    return 0
