"""Where a song is at a time, as it is written: the clock, the bar, how many notes there were."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from shared.tokens import Token
from workers.midi import MeterChange, TempoChange
from workers.music import Music

_NONE: Final = "–"
"""Where there is nothing to tell, such as bars in a file that counts in film frames."""
_NEARLY: Final = 1e-6
"""Seconds that are forgiven before a count goes on: frame times are rounded."""


class Readings:
    """What tokens stand for, as pure functions of song time."""

    def __init__(self, music: Music, *, title: str, artist: str) -> None:
        """Take a song.

        Args:
            music: The song.
            title: What ``{title}`` stands for.
            artist: What ``{artist}`` stands for.
        """
        self._music = music
        self._title, self._artist = title, artist
        self._end_s = max(music.song.end_s, 0.0)

    def read(self, token: Token, time_s: float) -> str:
        """What a token stands for at a song time."""
        music = self._music
        played_s = min(max(time_s, 0.0), self._end_s)
        whole_s = math.floor(played_s + _NEARLY)
        match token:
            case "title":
                return self._title
            case "artist":
                return self._artist
            case "time":
                return clock(whole_s)
            case "duration":
                return clock(math.floor(self._end_s))
            case "remaining":
                return clock(math.floor(self._end_s) - whole_s)
            case "timecode":
                hundredths = math.floor(played_s * 100 + _NEARLY)
                return f"{clock(hundredths // 100)}.{hundredths % 100:02}"
            case "bar":
                return _count(self._place(time_s)[0])
            case "beat":
                return _count(self._place(time_s)[1])
            case "bpm":
                changes = music.song.tempo_map.changes
                index = _latest(changes, time_s)
                return _NONE if index is None else str(round(changes[index].bpm))
            case "meter":
                meters = music.song.meter_map.changes
                index = _latest(meters, time_s)
                if index is None:
                    return _NONE
                return f"{meters[index].numerator}/{meters[index].denominator}"
            case "notes":
                return f"{self._started(time_s):,}"
            case "total_notes":
                return f"{len(music.notes):,}"
            case "nps":
                return f"{self._started(time_s) - self._started(time_s - 1.0):,}"
            case "polyphony":
                ended = int(music.ends_s.searchsorted(time_s + _NEARLY, side="right"))
                return f"{self._started(time_s) - ended:,}"
            case "progress":
                part = played_s / self._end_s if self._end_s else 0.0
                return str(math.floor(100 * part + _NEARLY))
            case "chord":
                return music.chords.chord_at(time_s)

    def _started(self, time_s: float) -> int:
        return int(self._music.notes.start_s.searchsorted(time_s + _NEARLY, side="right"))

    def _place(self, time_s: float) -> tuple[int | None, int | None]:
        """Number of the bar and of the beat in it, both from 1."""
        times, _ = self._music.beats
        if not len(times):
            return None, None
        beat = max(int(times.searchsorted(time_s + _NEARLY, side="right")) - 1, 0)
        bar = max(int(self._music.bars.searchsorted(times[beat] + _NEARLY, side="right")) - 1, 0)
        first = int(times.searchsorted(self._music.bars[bar], side="left"))
        return bar + 1, beat - first + 1


def clock(seconds: int) -> str:
    """Whole seconds as ``3:05``, or ``1:03:05`` where there are hours."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _count(number: int | None) -> str:
    return _NONE if number is None else str(number)


def _latest(changes: Sequence[TempoChange | MeterChange], time_s: float) -> int | None:
    """The last of some changes that has come; the first before all of them."""
    if not changes:
        return None
    return max(bisect_right(changes, time_s + _NEARLY, key=lambda change: change.time_s) - 1, 0)
