"""Songs for tests: MIDI files whose notes lie exactly where they are asked for."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Self

import mido

from workers.midi import Song, read_midi

_TICKS_PER_BEAT = 480
_TICKS_PER_S = 2 * _TICKS_PER_BEAT
"""At the tempo of a file that names none (120 beats a minute): 16 ticks to a frame at 60 fps."""


class SongFile:
    """A MIDI file that is built note by note.

    Times are seconds at 120 beats a minute and must lie on a tick (1/960 s). A file with
    another tempo is built in ticks, with ``message``.
    """

    def __init__(self, title: str = "") -> None:
        """Begin a song."""
        self._tracks: dict[int, list[tuple[int, int, mido.Message | mido.MetaMessage]]] = {0: []}
        if title:
            self.message(0, mido.MetaMessage("track_name", name=title))

    def note(
        self,
        start_s: Fraction | float,
        end_s: Fraction | float,
        key: int,
        *,
        velocity: int = 100,
        channel: int = 0,
        track: int = 0,
    ) -> Self:
        """Add a note."""
        on = mido.Message("note_on", note=key, velocity=velocity, channel=channel)
        off = mido.Message("note_off", note=key, channel=channel)
        self.message(_ticks(start_s), on, track=track, rank=2)
        return self.message(_ticks(end_s), off, track=track, rank=1)

    def message(
        self,
        tick: int,
        message: mido.Message | mido.MetaMessage,
        *,
        track: int = 0,
        rank: int = 0,
    ) -> Self:
        """Add any message at a tick; of those on one tick the lower rank comes first."""
        self._tracks.setdefault(track, []).append((tick, rank, message))
        return self

    def to_bytes(self) -> bytes:
        """The file."""
        file = mido.MidiFile(type=1, ticks_per_beat=_TICKS_PER_BEAT)
        for number in range(max(self._tracks) + 1):
            now = 0
            track = mido.MidiTrack()
            events = sorted(self._tracks.get(number, []), key=lambda event: event[:2])
            for tick, _, message in events:
                track.append(message.copy(time=tick - now))
                now = tick
            file.tracks.append(track)
        target = io.BytesIO()
        file.save(file=target)
        return target.getvalue()

    def save(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.to_bytes())
        return path

    def song(self) -> Song:
        """The file as our reader understands it."""
        return read_midi(self.to_bytes())


def a_song() -> Song:
    """Chords, runs, two parts, drums, soft and loud, long and short, repeated and overlapping."""
    file = SongFile("Song of the Test")
    file.message(0, mido.MetaMessage("set_tempo", tempo=500_000))
    for step in range(16):
        at = Fraction(step, 4)
        file.note(at, at + Fraction(1, 8), 60 + step % 12, velocity=30 + 6 * step)
        file.note(at, at + Fraction(1, 5), 36, channel=9)
        if step % 4 == 0:
            for key in (48, 52, 55):
                file.note(at, at + Fraction(7, 8), key, channel=1, track=1)
    file.note(Fraction(1, 2), Fraction(7, 2), 72)
    return file.song()


def _ticks(time_s: Fraction | float) -> int:
    ticks = Fraction(time_s) * _TICKS_PER_S
    assert ticks.denominator == 1, f"{time_s} s lies between two ticks"
    return ticks.numerator
