"""Chunks: the header of a MIDI file, and where its tracks are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from shared.errors import MidiError
from workers.midi.repairs import RepairLog
from workers.midi.sniff import looks_like, looks_vaguely_like, refusal
from workers.midi.tempo import DEFAULT_TICKS_PER_QUARTER, Division

_HEADER: Final = b"MThd"
_TRACK: Final = b"MTrk"
_HEADER_BYTES: Final = 6
_SEARCH_BYTES: Final = 65_536
"""A header is looked for so far into the file; MacBinary puts 128 bytes before it."""
_MAX_ALIENS: Final = 1000
"""Chunks of other kinds that are skipped one by one; after them the next track is looked for."""
_FRAME_RATES: Final = {29: Fraction(30_000, 1001)}
"""SMPTE counts 30 drop-frame as 29; it runs at 30000/1001 frames a second."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the header says, as far as it can be believed."""

    format: int
    """0 and 1: tracks sound together; 2: each track is a pattern of its own."""
    declared_tracks: int | None
    """How many tracks there should be, None if it doesn't say."""
    division: Division
    """What a tick is."""
    start: int
    """Where the first chunk after the header begins."""
    stop: int
    """Where the MIDI data end (before the end of the file inside a RIFF wrapper)."""


@dataclass(frozen=True, kw_only=True)
class TrackChunk:
    """Where a track is."""

    start: int
    """First byte of its events."""
    declared_stop: int
    """Where it ends by its own length."""
    limit: int
    """Where it must end at the latest."""
    trusted: bool
    """Whether its length fits: another chunk or the end of the file follows."""


def read_header(data: bytes, log: RepairLog) -> Header:
    """Find the MIDI header, or do without one if there are tracks.

    Raises:
        MidiError: There is no MIDI in the file; the message says what it looks like.
    """
    begin, stop = 0, len(data)
    if not data:
        raise MidiError("The MIDI file is empty (0 bytes); export or copy it again.")
    if data.startswith(b"RIFF") and data[8:12] == b"RMID":
        begin, stop = _inside_rmid(data)
    elif not data.startswith((_HEADER, _TRACK)):
        kind = looks_like(data)
        if kind is not None:
            raise MidiError(refusal(kind))
    at = data.find(_HEADER, begin, min(begin + _SEARCH_BYTES, stop))
    if at < 0:
        return _without_header(data, begin, stop, log)
    if at > begin:
        log.add(None, begin, f"{at - begin} bytes before the MIDI header were skipped.")
    return _parse_header(data, at, stop, log)


def next_track(
    data: bytes, at: int, header: Header, log: RepairLog, *, number: int
) -> TrackChunk | None:
    """The next track at or after ``at``, skipping everything else.

    Args:
        data: The file.
        at: Where the last chunk ended.
        header: The file's header.
        log: Told of what is skipped.
        number: How many tracks came before.
    """
    stop, aliens = header.stop, 0
    while at < stop:
        name = data[at : at + 4]
        if name == _TRACK:
            return _bounded(data, at, stop)
        if name == _HEADER and number:
            log.add(None, at, "A second MIDI file that begins here was left out.")
            return None
        fits = _begins_chunk(data, at, stop)
        if fits and sum(a == b for a, b in zip(name, _TRACK, strict=True)) == 3:
            log.add(number, at, f"A chunk named {name!r} was read as a track.")
            return _bounded(data, at, stop)
        if fits and aliens < _MAX_ALIENS:
            aliens += 1
            if name != _HEADER:
                log.add(None, at, f"A chunk named {name!r} that is no track was skipped.")
            at += 8 + _length(data, at)
            continue
        found = data.find(_TRACK, at, stop)
        skipped = (stop if found < 0 else found) - at
        where = "after the last track" if found < 0 else "between tracks"
        log.add(None, at, f"{skipped} bytes {where} that are no chunk were skipped.")
        at = stop if found < 0 else found
    return None


def after_track(
    data: bytes, chunk: TrackChunk, reached: int, log: RepairLog, *, number: int, ended: bool
) -> int:
    """Where to look for the next chunk.

    Args:
        data: The file.
        chunk: The track that was read.
        reached: Where reading stopped.
        log: Told if the track's length is wrong.
        number: Number of the track.
        ended: Whether an end-of-track event was reached.
    """
    if chunk.trusted:
        if ended and reached < chunk.declared_stop:
            found = data.find(_TRACK, reached, chunk.declared_stop)
            if found >= 0:
                log.add(number, reached, "The track is shorter than it says; another follows.")
                return found
            rest = chunk.declared_stop - reached
            log.add(number, reached, f"{rest} bytes after the end of the track were skipped.")
        return chunk.declared_stop
    actual = reached if ended else chunk.limit
    if actual != chunk.declared_stop:
        log.add(
            number,
            chunk.start - 4,
            f"The track says it has {chunk.declared_stop - chunk.start} bytes, "
            f"but it has {actual - chunk.start}.",
        )
    return actual


def _parse_header(data: bytes, at: int, stop: int, log: RepairLog) -> Header:
    length = _length(data, at)
    fields, start = at + 8, at + 8 + length
    if length != _HEADER_BYTES or not _begins_chunk(data, start, stop):
        if length >= _HEADER_BYTES and (start == stop or _begins_chunk(data, start, stop)):
            log.add(None, at + 4, f"The header has {length} bytes instead of 6.")
        else:
            found = data.find(_TRACK, fields, stop)
            start = found if found >= 0 else min(fields + _HEADER_BYTES, stop)
            if length != _HEADER_BYTES:
                log.add(
                    None, at + 4, f"The header's length of {length} bytes is wrong and was ignored."
                )
    values = data[fields : min(start, fields + _HEADER_BYTES, stop)]
    declared = int.from_bytes(values[2:4], "big") if len(values) >= 4 else None
    kind = int.from_bytes(values[:2], "big") if len(values) >= 2 else 1
    if kind > 2:
        log.add(None, fields, f"The format {kind} does not exist; the file was read as format 1.")
        kind = 1
    if len(values) < _HEADER_BYTES:
        log.add(
            None,
            fields,
            f"The header is cut off; {DEFAULT_TICKS_PER_QUARTER} ticks per quarter were assumed.",
        )
        division = Division(ticks_per_quarter=DEFAULT_TICKS_PER_QUARTER)
    else:
        division = _division(int.from_bytes(values[4:6], "big"), fields + 4, log)
    return Header(format=kind, declared_tracks=declared, division=division, start=start, stop=stop)


def _division(word: int, at: int, log: RepairLog) -> Division:
    assumed = f"{DEFAULT_TICKS_PER_QUARTER} ticks per quarter were assumed."
    if word == 0:
        log.add(None, at, f"The division is 0; {assumed}")
        return Division(ticks_per_quarter=DEFAULT_TICKS_PER_QUARTER)
    if word < 0x8000:
        return Division(ticks_per_quarter=word)
    frames, ticks = 256 - (word >> 8), word & 0xFF
    if ticks == 0:
        log.add(None, at, f"The SMPTE division has no ticks in a frame; {assumed}")
        return Division(ticks_per_quarter=DEFAULT_TICKS_PER_QUARTER)
    if frames not in (24, 25, 29, 30):
        log.add(None, at, f"{frames} frames a second is no SMPTE rate; it was taken as it is.")
    rate = _FRAME_RATES.get(frames, Fraction(frames))
    return Division(frame_rate=rate, ticks_per_frame=ticks)


def _without_header(data: bytes, begin: int, stop: int, log: RepairLog) -> Header:
    at = data.find(_TRACK, begin, min(begin + _SEARCH_BYTES, stop))
    if at < 0:
        raise MidiError(refusal(looks_vaguely_like(data)))
    log.add(
        None,
        begin,
        "The MIDI header is missing; format 1 and "
        f"{DEFAULT_TICKS_PER_QUARTER} ticks per quarter were assumed.",
    )
    return Header(
        format=1,
        declared_tracks=None,
        division=Division(ticks_per_quarter=DEFAULT_TICKS_PER_QUARTER),
        start=at,
        stop=stop,
    )


def _inside_rmid(data: bytes) -> tuple[int, int]:
    """The range of the MIDI data in a RIFF file (RP-029); its numbers are little-endian."""
    at = 12
    for _ in range(_MAX_ALIENS):
        if at + 8 > len(data):
            break
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            stop = at + 8 + size
            # A wrapper that was written for another length says nothing about the end.
            return at + 8, stop if size > 0 and stop <= len(data) else len(data)
        at += 8 + size + size % 2
    return 12, len(data)


def _bounded(data: bytes, at: int, stop: int) -> TrackChunk:
    start = min(at + 8, stop)
    declared = start + _length(data, at)
    trusted = declared == stop or _begins_chunk(data, declared, stop)
    limit = declared
    if not trusted:
        found = data.find(_TRACK, start, stop)
        limit = found if found >= 0 else stop
        # Zeros that fill up the file are no events.
        if declared < limit and not data[declared:limit].strip(b"\0"):
            trusted, limit = True, declared
    return TrackChunk(start=start, declared_stop=declared, limit=limit, trusted=trusted)


def _begins_chunk(data: bytes, at: int, stop: int) -> bool:
    """Whether a chunk may begin at ``at``: a track, or a name with a length that fits."""
    name = data[at : at + 4]
    if name in (_TRACK, _HEADER):
        return at + 4 <= stop
    return (
        at + 8 <= stop
        and all(byte in _NAME_BYTES for byte in name)
        and at + 8 + _length(data, at) <= stop
    )


def _length(data: bytes, at: int) -> int:
    return int.from_bytes(data[at + 4 : at + 8], "big")


_NAME_BYTES: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-")
