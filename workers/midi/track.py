"""One track: from bytes to columns of channel messages."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import Final

from shared.errors import MidiError
from workers.midi.limits import MAX_TICKS, MidiLimits
from workers.midi.meta import END_OF_TRACK, FIXED_SIZES, MetaCollector
from workers.midi.repairs import RepairLog
from workers.midi.resync import Fix, best_fix, find_clean

_STATUS_BYTE: Final = re.compile(rb"[\x80-\xff]")
_SYSTEM_SIZES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Data bytes of system common messages; the others have none (MIDI 1.0, table 5)."""
_BLOCK_BYTES: Final = 1 << 20
"""The limit on events is looked at after every so many bytes."""
_LOST_PLACE: Final = 100
"""A length that runs past the track counts as so many damages: finding back takes long."""
_OTHER_WEIGHT: Final = 4
"""An event that is no channel message counts for so many against the limit."""
_SYSEX_SEARCH_BYTES: Final = 65_536
_MAX_NUMBER: Final = 0x0FFFFFFF
"""The largest variable-length number, in four bytes (Standard MIDI Files 1.0)."""
_MISPLACED: Final = {
    byte: f"A system message 0x{byte:02X} has no place in a file and was skipped."
    for byte in range(0xF1, 0xFF)
}
_CUT_OFF: Final = "A message is cut off by the end of the track."


@dataclass(frozen=True, kw_only=True)
class TrackRange:
    """What one track came to."""

    first: int
    """Index of its first channel message in the columns of the reader."""
    stop: int
    """Index after its last one."""
    start_tick: int
    """When it begins, in ticks from the start of the song."""
    end_tick: int
    """When it ends, in ticks from the start of the song."""
    offset: int
    """Where in the file it begins."""
    reached: int
    """Where in the file reading stopped."""
    ended: bool
    """Whether an end-of-track event was reached."""


class _GivenUpError(Exception):
    """The rest of the track is not worth reading."""


class TrackReader:
    """Reads track after track into common columns.

    Damaged places are mended and noted; a track with too many of them is given up from there
    on, and what came before is kept.
    """

    def __init__(
        self,
        data: bytes,
        limits: MidiLimits,
        log: RepairLog,
        metas: MetaCollector,
        max_pause_ticks: int,
    ) -> None:
        self.words = array("Q")
        """Every channel message: tick << 24 | status << 16 | data1 << 8 | data2."""
        self.offsets = array("I")
        """Where in the file every channel message is."""
        # Two bytes more, so that the data of a message can be read before looking at its end.
        self._data = data + b"\0\0"
        self._limits = limits
        self._log = log
        self._metas = metas
        self._max_pause_ticks = max_pause_ticks
        self._others = 0
        self._damages_left = 10 * limits.max_damages
        self._track = 0
        self._track_damages_left = 0
        self._said: set[str] = set()
        self._ended = False

    def read(self, track: int, start: int, stop: int, tick: int) -> TrackRange:
        """Read the events in ``data[start:stop]``.

        Args:
            track: Number of the track.
            start: Where its events begin.
            stop: Where they must end.
            tick: When the track begins.

        Raises:
            MidiError: The file has more events, or lasts longer, than the limits allow.
        """
        self._track = track
        self._track_damages_left = min(self._limits.max_damages, self._damages_left)
        self._said.clear()
        self._ended = False
        first = len(self.words)
        reached = stop
        end_tick = tick
        try:
            reached, end_tick = self._scan(start, stop, tick)
        except _GivenUpError as given_up:
            self._log.add(track, given_up.args[0], "Nothing makes sense here; the rest was cut.")
            end_tick = self.words[-1] >> 24 if len(self.words) > first else tick
        if not self._ended:
            self._log.add(track, reached, "The end-of-track event is missing.")
        if end_tick > MAX_TICKS:
            raise MidiError(
                "The MIDI file lasts too long to be a song: a pause in it is damaged; "
                "repair it in a sequencer."
            )
        return TrackRange(
            first=first,
            stop=len(self.words),
            start_tick=tick,
            end_tick=end_tick,
            offset=start,
            reached=min(reached, stop),
            ended=self._ended,
        )

    def _scan(self, start: int, stop: int, tick: int) -> tuple[int, int]:
        """Read until the end of the track; returns where that is, and its tick.

        Millions of messages go through this loop, so it does the common case itself, with
        local names, and leaves everything rare to the methods below.
        """
        data = self._data
        add_word, add_offset = self.words.append, self.offsets.append
        status = 0
        interrupted = False
        delta, pos = self._delta(start, stop)
        tick += delta
        while pos < stop:
            self._check_events()
            soft = min(stop, pos + _BLOCK_BYTES)
            while pos < soft:
                at = pos
                byte = data[pos]
                if byte >= 0x80:
                    if byte >= 0xF0:
                        pos = self._system(pos, stop, tick)
                        if self._ended:
                            return pos, tick
                        interrupted = True
                        delta, pos = self._delta(pos, stop)
                        tick += delta
                        continue
                    status = byte
                    interrupted = False
                    pos += 1
                elif not status:
                    pos = self._no_status(pos, stop)
                    continue
                elif interrupted:
                    interrupted = False
                    self._once(at, "A running status goes on over a meta or system event.")
                if 0xC0 <= status < 0xE0:
                    size = 1
                    data1 = data[pos]
                    data2 = 0
                else:
                    size = 2
                    data1 = data[pos]
                    data2 = data[pos + 1]
                if data1 >= 0x80 or data2 >= 0x80:
                    pos, at_status = self._mend(at, pos, size, status, tick, stop)
                    if not at_status:
                        delta, pos = self._delta(pos, stop)
                        tick += delta
                    continue
                pos += size
                if pos > stop:
                    self._damage(at, _CUT_OFF)
                    return stop, tick
                add_word(tick << 24 | status << 16 | data1 << 8 | data2)
                add_offset(at)
                if pos == stop:
                    break
                delta = data[pos]
                if delta < 0x80:
                    pos += 1
                    tick += delta
                elif pos + 1 < stop and data[pos + 1] < 0x80:
                    tick += (delta & 0x7F) << 7 | data[pos + 1]
                    pos += 2
                else:
                    delta, pos = self._delta(pos, stop)
                    tick += delta
        self._check_events()
        return stop, tick

    def _delta(self, at: int, stop: int) -> tuple[int, int]:
        """The time before the next event in ticks, and where it ends."""
        value, pos = self._number(at, stop)
        if value > min(self._max_pause_ticks, _MAX_NUMBER):
            self._damage(at, "A pause that is longer than a song may be was left out.")
            return 0, pos
        if pos - at > 4:
            self._damage(at, f"A pause is written in {pos - at} bytes instead of at most 4.")
        return value, pos

    def _number(self, at: int, stop: int) -> tuple[int, int]:
        """The variable-length number at ``at``, capped at 32 bits, and where it ends."""
        value, data = 0, self._data
        while at < stop:
            byte = data[at]
            at += 1
            value = min(value << 7 | byte & 0x7F, 0xFFFFFFFF)
            if byte < 0x80:
                break
        return value, at

    def _system(self, at: int, stop: int, tick: int) -> int:
        """Take the event with a status of 0xF0 or more; returns where the next delta is."""
        self._others += _OTHER_WEIGHT
        byte = self._data[at]
        if byte == 0xFF:
            return self._meta(at, stop, tick)
        if byte in (0xF0, 0xF7):
            length, pos = self._number(at + 1, stop)
            if pos + length <= stop:
                return pos + length
            self._damage(at, "A system exclusive message runs past the track.", _LOST_PLACE)
            end = self._data.find(b"\xf7", pos, min(stop, pos + _SYSEX_SEARCH_BYTES))
            return end + 1 if end >= 0 else find_clean(self._data, pos, stop) or stop
        self._once(at, _MISPLACED[byte])
        pos = at + 1
        last = min(stop, pos + _SYSTEM_SIZES.get(byte, 0))
        while pos < last and self._data[pos] < 0x80:
            pos += 1
        return pos

    def _meta(self, at: int, stop: int, tick: int) -> int:
        data = self._data
        if at + 1 >= stop or data[at + 1] >= 0x80:
            self._damage(at, "A meta event without a type was skipped.")
            return at + 1
        kind = data[at + 1]
        length, begin = self._number(at + 2, stop)
        end = begin + length
        after = end
        if end > stop:
            self._damage(at, f"A meta event 0x{kind:02X} runs past the track.", _LOST_PLACE)
            if kind in FIXED_SIZES:
                end = after = min(begin + FIXED_SIZES[kind], stop)
            else:
                after = find_clean(data, begin, stop) or stop
                end = after
        if kind == END_OF_TRACK:
            self._ended = True
            return begin
        self._metas.take(
            self._track, tick, at, kind, data[begin : min(end, begin + _longest(self._limits))]
        )
        return after

    def _no_status(self, at: int, stop: int) -> int:
        """Skip data bytes that belong to no message; returns where the next status is."""
        found = _STATUS_BYTE.search(self._data, at, stop)
        pos = found.start() if found else stop
        self._damage(at, f"{pos - at} bytes that belong to no message were skipped.")
        return pos

    def _mend(
        self, at: int, first: int, size: int, status: int, tick: int, stop: int
    ) -> tuple[int, bool]:
        """Read on after a message with a data byte of 0x80 or more.

        Returns:
            Where to read on, and whether that is a status byte (else a delta time).
        """
        data = self._data
        if first + size > stop:
            self._damage(at, _CUT_OFF)
            return stop, True
        bad = first if data[first] >= 0x80 else first + 1
        fix = best_fix(data, bad, first, size, status, stop)
        self._damage(at, f"0x{data[bad]:02X} stands in the place of data: {fix.value}.")
        if fix is Fix.STATUS:
            return bad, True
        if fix is Fix.DELTA:
            return bad, False
        if fix is Fix.REAL_TIME:
            values = data[first:bad] + data[bad + 1 : first + size + 1]
            pos = first + size + 1
        else:
            values = data[first : first + size]
            pos = first + size
        if pos > stop or len(values) < size:
            return stop, False
        data1 = min(values[0], 0x7F)
        data2 = min(values[1], 0x7F) if size == 2 else 0
        self.words.append(tick << 24 | status << 16 | data1 << 8 | data2)
        self.offsets.append(at)
        return pos, False

    def _damage(self, at: int, message: str, weight: int = 1) -> None:
        self._log.add(self._track, at, message)
        self._damages_left -= weight
        self._track_damages_left -= weight
        if self._track_damages_left < 0:
            raise _GivenUpError(at)

    def _once(self, at: int, message: str) -> None:
        """Note down what may occur thousands of times in one track, but only the first time."""
        if message not in self._said:
            self._said.add(message)
            self._log.add(self._track, at, message)

    def _check_events(self) -> None:
        if len(self.words) + self._others > self._limits.max_events:
            raise MidiError(
                f"The MIDI file has more than {self._limits.max_events} events, which is the "
                "limit; split it into several files."
            )


def _longest(limits: MidiLimits) -> int:
    """Bytes of a meta event that are looked at: one more than a text may have."""
    return limits.max_text_bytes + 1
