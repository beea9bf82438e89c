"""From the bytes of a MIDI file to a song."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.errors import MidiError
from workers.midi.container import Header, after_track, next_track, read_header
from workers.midi.events import ChannelEvents
from workers.midi.limits import MidiLimits
from workers.midi.meta import MetaCollector
from workers.midi.meter import MAX_BEATS, MeterMap
from workers.midi.notes import FloatArray, NoteTable
from workers.midi.pairing import UNPAIRED, pair_notes
from workers.midi.repairs import RepairLog
from workers.midi.song import Song, TextEvent, TrackInfo
from workers.midi.tempo import DEFAULT_TEMPO, Division, TempoMap
from workers.midi.track import TrackRange, TrackReader

MIN_NOTE_S: Final = 0.05
"""How long a note without any length lasts, so that it can be seen: three frames at 60 fps."""
_NOTE_OFF: Final = 0x80
_NOTE_ON: Final = 0x90
_PROGRAM_CHANGE: Final = 0xC0
_KARAOKE: Final = ("\\", "/")
_KARAOKE_TAGS: Final = "@"


def read_midi(data: bytes, limits: MidiLimits = MidiLimits()) -> Song:  # noqa: B008 (frozen)
    """Read a Standard MIDI File, putting right what is wrong with it.

    Notes are paired first in, first out per track, channel and key; notes that are never
    switched off end with their track, and notes without length last MIN_NOTE_S. The tracks of
    a file of format 2 are patterns with a tempo and meter each: they are played one after the
    other. A file without notes gives a song without notes.

    Args:
        data: The bytes of the file.
        limits: How much of it to accept.

    Raises:
        MidiError: The file is no MIDI file, has no track, or is beyond the limits; the message
            says which, and what to do.
    """
    if len(data) > limits.max_bytes:
        raise MidiError(
            f"The MIDI file has {len(data)} bytes, more than the limit of {limits.max_bytes}; "
            "split it into several files."
        )
    reading = _Reading(data=bytes(data), limits=limits)
    header, ranges = _read_tracks(reading)
    return _assemble(reading, header, ranges)


@dataclass(kw_only=True)
class _Reading:
    """What belongs to the reading of one file."""

    data: bytes
    limits: MidiLimits
    log: RepairLog = field(init=False)
    metas: MetaCollector = field(init=False)
    columns: _Columns = field(init=False)

    def __post_init__(self) -> None:
        self.log = RepairLog(self.limits.max_repairs)
        self.metas = MetaCollector(self.limits, self.log)


@dataclass(kw_only=True)
class _Columns:
    """The channel messages of all tracks, track after track."""

    tick: npt.NDArray[np.int64]
    time_s: FloatArray
    status: npt.NDArray[np.uint8]
    data1: npt.NDArray[np.uint8]
    data2: npt.NDArray[np.uint8]
    track: npt.NDArray[np.uint16]
    offset: npt.NDArray[np.uint32]


def _read_tracks(reading: _Reading) -> tuple[Header, list[TrackRange]]:
    """Find and read all tracks; the columns are left in ``reading``."""
    log, limits = reading.log, reading.limits
    header = read_header(reading.data, log)
    pause = _max_pause_ticks(header.division, limits.max_duration_s)
    reader = TrackReader(reading.data, limits, log, reading.metas, pause)
    ranges: list[TrackRange] = []
    at = header.start
    while (chunk := next_track(reading.data, at, header, log, number=len(ranges))) is not None:
        number = len(ranges)
        if number >= limits.max_tracks:
            raise MidiError(
                f"The MIDI file has more than {limits.max_tracks} tracks, which is the limit; "
                "merge some of them."
            )
        start_tick = 0
        if header.format == 2 and ranges:
            start_tick = ranges[-1].end_tick
            # Each pattern begins with the defaults, whatever the one before has set.
            reading.metas.tempos.append((start_tick, DEFAULT_TEMPO))
        result = reader.read(number, chunk.start, chunk.limit, start_tick)
        ranges.append(result)
        at = after_track(
            reading.data, chunk, result.reached, log, number=number, ended=result.ended
        )
    if not ranges:
        raise MidiError(
            "The MIDI file has a header but no track; it is incomplete: export or copy it again."
        )
    _check_header(header, len(ranges), log)
    words = np.frombuffer(reader.words, dtype=np.uint64)
    counts = [entry.stop - entry.first for entry in ranges]
    reading.columns = _Columns(
        tick=(words >> np.uint64(24)).astype(np.int64),
        time_s=np.zeros(0),
        status=(words >> np.uint64(16)).astype(np.uint8),
        data1=(words >> np.uint64(8)).astype(np.uint8),
        data2=words.astype(np.uint8),
        track=np.repeat(np.arange(len(ranges), dtype=np.uint16), counts),
        offset=np.frombuffer(reader.offsets, dtype=np.uint32),
    )
    return header, ranges


def _check_header(header: Header, found: int, log: RepairLog) -> None:
    if header.declared_tracks is not None and header.declared_tracks != found:
        log.add(
            None, 10, f"The header promises {header.declared_tracks} tracks, the file has {found}."
        )
    if header.format == 0 and found > 1:
        log.add(None, 8, f"A file of format 0 has {found} tracks; they are played together.")
    if header.format == 2 and found > 1:
        log.add(None, 8, "A file of format 2: its patterns are played one after the other.")


def _max_pause_ticks(division: Division, max_duration_s: float) -> int:
    """Ticks that last as long as a song may last (at 120 bpm, where time is musical)."""
    if division.frame_rate is not None and division.ticks_per_frame is not None:
        return int(max_duration_s * division.frame_rate * division.ticks_per_frame)
    return int(max_duration_s * 2 * (division.ticks_per_quarter or 1))


def _assemble(reading: _Reading, header: Header, ranges: Sequence[TrackRange]) -> Song:
    """Turn ticks into seconds and messages into notes."""
    columns, metas, limits = reading.columns, reading.metas, reading.limits
    tempo_map = TempoMap.build(header.division, sorted(metas.tempos, key=lambda row: row[0]))
    patterns = [entry.start_tick for entry in ranges]
    meter_map = MeterMap.build(
        tempo_map, sorted(metas.meters, key=lambda row: row[0]), restarts=patterns
    )
    columns.time_s = tempo_map.seconds(columns.tick)
    starts = tempo_map.seconds(np.array(patterns, dtype=np.int64))
    ends = _track_ends(reading, ranges, tempo_map)
    notes = _notes(reading, ends)
    end_s = float(notes.end_s.max()) if len(notes) else 0.0
    if end_s > limits.max_duration_s:
        raise MidiError(
            f"The notes of the MIDI file last {end_s / 3600:.1f} hours, longer than the limit of "
            f"{limits.max_duration_s / 3600:.1f}; if the song is shorter, a pause or a tempo in "
            "the file is damaged: repair it in a sequencer."
        )
    duration_s = max(float(ends.max()), end_s)
    if not meter_map.is_complete(duration_s):
        reading.log.add(None, 0, f"The grid of beats ends after {MAX_BEATS} beats.")
    return Song(
        format=header.format,
        division=header.division,
        tracks=_track_infos(reading, notes, starts, ends),
        notes=notes,
        tempo_map=tempo_map,
        meter_map=meter_map,
        texts=_texts(reading, tempo_map, header.format),
        events=_events(columns, limits.max_duration_s),
        end_s=end_s,
        duration_s=duration_s,
        repairs=reading.log.repairs(),
    )


def _track_ends(reading: _Reading, ranges: Sequence[TrackRange], tempo_map: TempoMap) -> FloatArray:
    """When tracks end, in seconds; a senselessly late end is moved to the last message."""
    limit_s = reading.limits.max_duration_s
    ends = tempo_map.seconds(np.array([entry.end_tick for entry in ranges], dtype=np.int64))
    for number in np.flatnonzero(ends > limit_s).tolist():
        entry = ranges[number]
        times = reading.columns.time_s[entry.first : entry.stop]
        last = int(times.searchsorted(limit_s, side="right"))
        ends[number] = times[last - 1] if last else 0.0
        reading.log.add(
            number, entry.offset, "The end of the track, senselessly late, was moved forward."
        )
    return ends


def _notes(reading: _Reading, track_ends: FloatArray) -> NoteTable:
    columns, limits = reading.columns, reading.limits
    kind = columns.status & 0xF0
    rows = np.flatnonzero((kind == _NOTE_ON) | (kind == _NOTE_OFF))
    is_on = (kind[rows] == _NOTE_ON) & (columns.data2[rows] > 0)
    count = int(np.count_nonzero(is_on))
    if count > limits.max_notes:
        raise MidiError(
            f"The MIDI file has {count} notes, more than the limit of {limits.max_notes}; "
            "split it into several files."
        )
    channel = (columns.status[rows] & 0x0F).astype(np.uint16)
    group = (channel << np.uint16(7)) | columns.data1[rows].astype(np.uint16)
    ons, offs = pair_notes(group, columns.track[rows], is_on)
    hanging = offs == UNPAIRED
    on_rows = rows[ons]
    start_s = columns.time_s[on_rows]
    track = columns.track[on_rows]
    end_s = np.where(hanging, track_ends[track], columns.time_s[rows[offs]])
    too_short = end_s <= start_s
    end_s[too_short] = start_s[too_short] + MIN_NOTE_S
    offset = columns.offset[on_rows]
    _log_rows(reading.log, track, offset, hanging, "never end and were ended with the track")
    _log_rows(reading.log, track, offset, too_short, f"have no length and got {MIN_NOTE_S} s")
    return NoteTable.build(
        start_s=start_s,
        end_s=end_s,
        key=columns.data1[on_rows],
        velocity=columns.data2[on_rows],
        channel=columns.status[on_rows] & 0x0F,
        track=track,
    )


def _log_rows(
    log: RepairLog,
    track: npt.NDArray[np.uint16],
    offset: npt.NDArray[np.uint32],
    wrong: npt.NDArray[np.bool_],
    what: str,
) -> None:
    """Note down one repair per track for the notes that are ``wrong``."""
    tracks, where = track[wrong], offset[wrong]
    numbers, inverse, counts = np.unique(tracks, return_inverse=True, return_counts=True)
    first = np.full(len(numbers), np.iinfo(np.uint32).max, dtype=np.uint32)
    np.minimum.at(first, inverse, where)
    for number, at, count in zip(numbers.tolist(), first.tolist(), counts.tolist(), strict=True):
        log.add(number, at, f"{count} notes {what}; the first is here.")


def _track_infos(
    reading: _Reading, notes: NoteTable, starts: FloatArray, ends: FloatArray
) -> tuple[TrackInfo, ...]:
    columns, count = reading.columns, len(ends)
    note_counts = np.bincount(notes.track, minlength=count).tolist()
    used = np.zeros((count, 16), dtype=np.bool_)
    used[columns.track, columns.status & 0x0F] = True
    programs: list[int | None] = [None] * count
    changes = np.flatnonzero((columns.status & 0xF0) == _PROGRAM_CHANGE)
    numbers, first = np.unique(columns.track[changes], return_index=True)
    for number, row in zip(numbers.tolist(), changes[first].tolist(), strict=True):
        programs[number] = int(columns.data1[row])
    names = [""] * count
    for text in reading.metas.texts:
        if text.kind == "track_name" and not names[text.track]:
            names[text.track] = text.text.strip()
    return tuple(
        TrackInfo(
            index=i,
            name=names[i],
            notes=note_counts[i],
            channels=tuple(np.flatnonzero(used[i]).tolist()),
            program=programs[i],
            start_s=float(starts[i]),
            end_s=float(ends[i]),
        )
        for i in range(count)
    )


def _texts(reading: _Reading, tempo_map: TempoMap, file_format: int) -> tuple[TextEvent, ...]:
    r"""The texts in order of time.

    A file has one title: the name of its first track (of formats 0 and 1), which the standard
    calls the name of the sequence. Karaoke files keep their lyrics in plain texts: those of a
    track in which some begin with ``\`` or ``/`` are lyrics, but for the tags with ``@``.
    """
    raw = reading.metas.texts
    limit_s = reading.limits.max_duration_s
    times = tempo_map.seconds(np.array([text.tick for text in raw], dtype=np.int64)).tolist()
    karaoke = {text.track for text in raw if text.kind == "text" and text.text.startswith(_KARAOKE)}
    result: list[TextEvent] = []
    titled = file_format == 2
    for text, time_s in zip(raw, times, strict=True):
        kind = text.kind
        if kind == "track_name" and text.track == 0 and not titled:
            kind, titled = "title", True
        elif kind == "text" and text.track in karaoke and not text.text.startswith(_KARAOKE_TAGS):
            kind = "lyric"
        if time_s <= limit_s:
            result.append(TextEvent(time_s=time_s, kind=kind, track=text.track, text=text.text))
    return tuple(sorted(result, key=lambda text: (text.time_s, text.track)))


def _events(columns: _Columns, limit_s: float) -> ChannelEvents:
    """All messages in order of time; the stable sort keeps that of tracks and of the file."""
    order = np.argsort(columns.tick, kind="stable")
    time_s: npt.NDArray[Any] = columns.time_s[order]
    order = order[: int(time_s.searchsorted(limit_s, side="right"))]
    return ChannelEvents(
        time_s=time_s[: len(order)].copy(),
        status=columns.status[order],
        data1=columns.data1[order],
        data2=columns.data2[order],
    )
