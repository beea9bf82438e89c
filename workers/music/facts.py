"""What layers know of a song beside its notes: computed when it is first asked for, then kept."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.lyrics import LyricLine
from workers.midi import NoteTable, Song
from workers.music.chords import Chords, chord_names
from workers.music.hands import hands
from workers.music.lyrics import song_lyrics
from workers.music.staves import lowest_name

Seconds = NDArray[np.float64]
Ranks = NDArray[np.int32]


class Music:
    """A song with all that follows from it, whatever the time and the frame."""

    def __init__(self, song: Song, notes: NoteTable, until_s: float) -> None:
        """Take a song.

        Args:
            song: The whole song.
            notes: Those of its notes that are drawn.
            until_s: Song time at which its video ends.
        """
        self.song = song
        self.notes = notes
        self.until_s = until_s

    @cached_property
    def beats(self) -> tuple[Seconds, NDArray[np.bool_]]:
        """Times at which beats begin, ascending, and whether a bar begins there too."""
        return self.song.meter_map.beats(self.until_s)

    @cached_property
    def bars(self) -> Seconds:
        """Times at which bars begin, ascending."""
        times, is_bar = self.beats
        return times[is_bar]

    @cached_property
    def ends_s(self) -> Seconds:
        """When notes end, ascending."""
        return np.sort(self.notes.end_s)

    @cached_property
    def rests_s(self) -> Seconds:
        """For each note, seconds from its end until its key is struck again, float64 (n,).

        Negative where that is before; infinite where it is never struck again.
        """
        notes = self.notes
        rests: Seconds = np.full(len(notes), np.inf)
        order = np.argsort(notes.key, kind="stable")  # each key's notes in order of time
        again = notes.key[order[1:]] == notes.key[order[:-1]]
        before, after = order[:-1][again], order[1:][again]
        rests[before] = notes.start_s[after] - notes.end_s[before]
        return rests

    def beat(self, time_s: float) -> float:
        """Beats since the song began, with the part of the beat that has passed."""
        return place_among(self.beats[0], time_s)

    def bar(self, time_s: float) -> float:
        """Bars since the song began, with the part of the bar that has passed."""
        return place_among(self.bars, time_s)

    @cached_property
    def chords(self) -> Chords:
        """The chords that sound, by their names."""
        return chord_names(self.song.notes, self.song.meter_map)

    @cached_property
    def lowest_name(self) -> int:
        """Where the names of its notes begin on the line of fifths; tells sharps from flats."""
        return lowest_name(self.song.notes)

    @cached_property
    def lyrics(self) -> tuple[LyricLine, ...]:
        """The words in the MIDI, line by line; none where it has none."""
        return song_lyrics(self.song)

    @cached_property
    def tracks(self) -> Ranks:
        """For each note the rank of its track among those that have notes, (n,)."""
        return _ranks(self.notes.track)

    @cached_property
    def parts(self) -> Ranks:
        """The same for its part, a pair of track and channel."""
        return _ranks(self.notes.track.astype(np.int32) * 16 + self.notes.channel)

    @cached_property
    def hands(self) -> NDArray[np.uint8]:
        """For each note the hand that plays it, 0 for the left and 1 for the right, (n,)."""
        return hands(self.notes, self.song)

    @cached_property
    def pedals(self) -> tuple[tuple[Seconds, NDArray[np.bool_]], ...]:
        """When the sustain pedal of each channel that has one moves, and True for down."""
        moves = (self.song.pedal(channel) for channel in range(16))
        return tuple(move for move in moves if len(move[0]))

    def pedal_down(self, time_s: float) -> bool:
        """Whether the sustain pedal of any channel is down."""
        for times, down in self.pedals:
            index = int(np.searchsorted(times, time_s, side="right")) - 1
            if index >= 0 and bool(down[index]):
                return True
        return False


def _ranks(number: NDArray[Any]) -> Ranks:
    """The rank of each number among those that there are, (n,)."""
    there = np.bincount(number) > 0
    ranks: Ranks = (np.cumsum(there, dtype=np.int32) - 1)[number]
    return ranks


def place_among(times: Seconds, time_s: float) -> float:
    """How many of some times have passed, with the part of the way to the next.

    Before the first and after the last the distance between the nearest two goes on; where there
    is but one time, or none, a second stands for it.
    """
    if len(times) == 0:
        return time_s
    if len(times) == 1:
        return time_s - float(times[0])
    index = int(np.clip(np.searchsorted(times, time_s, side="right") - 1, 0, len(times) - 2))
    start, end = float(times[index]), float(times[index + 1])
    return index + (time_s - start) / max(end - start, 1e-9)
