"""Writes the demo's song: Johann Sebastian Bach, Prelude in C major, BWV 846 (1722).

The score is in the public domain. All but the last three bars are one figure over five notes,
so the piece is a table of chords and the figure that plays them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import mido

# Bar after bar, four a line: the two notes of the left hand, then the three of the right.
CHORDS: Final = """
    C4 E4 G4 C5 E5      C4 D4 A4 D5 F5      B3 D4 G4 D5 F5      C4 E4 G4 C5 E5
    C4 E4 A4 E5 A5      C4 D4 F#4 A4 D5     B3 D4 G4 D5 G5      B3 C4 E4 G4 C5
    A3 C4 E4 G4 C5      D3 A3 D4 F#4 C5     G3 B3 D4 G4 B4      G3 Bb3 E4 G4 C#5
    F3 A3 D4 A4 D5      F3 Ab3 D4 F4 B4     E3 G3 C4 G4 C5      E3 F3 A3 C4 F4
    D3 F3 A3 C4 F4      G2 D3 G3 B3 F4      C3 E3 G3 C4 E4      C3 G3 Bb3 C4 E4
    F2 F3 A3 C4 E4      F#2 C3 A3 C4 Eb4    Ab2 F3 B3 C4 D4     G2 F3 G3 B3 D4
    G2 E3 G3 C4 E4      G2 D3 G3 C4 F4      G2 D3 G3 B3 F4      G2 Eb3 A3 C4 F#4
    G2 E3 G3 C4 G4      G2 D3 G3 C4 F4      G2 D3 G3 B3 F4      C2 C3 G3 Bb3 E4
"""
FIGURE: Final = (2, 3, 4, 2, 3, 4)
"""The right hand in either half of a bar, after the two notes of the left."""

CADENCE: Final = (
    "C2 C3 F3 A3 C4 F4 C4 A3 C4 A3 F3 A3 F3 D3 F3 D3",
    "C2 B2 G4 B4 D5 F5 D5 B4 D5 B4 G4 B4 D4 F4 E4 D4",
)
"""The two bars before the last, sixteenth by sixteenth; the left hand holds the first two."""
LAST_CHORD: Final = "C2 C3 E4 G4 C5"

TICKS: Final = 480
SIXTEENTH: Final = TICKS // 4
BAR: Final = 4 * TICKS
BPM: Final = 72
SLOWING_BPM: Final = (66, 54, 44)
"""Tempo of the last three bars."""

_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

Note = tuple[int, int, int, int, int]
"""Start and length in ticks, MIDI key, velocity, hand (0 left, 1 right)."""


def key(name: str) -> int:
    """MIDI key of a name such as ``F#4``; C4 is 60."""
    step = _STEPS[name[0]] + name.count("#") - name.count("b")
    return step + 12 * (int(name[-1]) + 1)


def bars_of_chords() -> list[list[str]]:
    """The five notes of each bar that is one figure."""
    names = CHORDS.split()
    return [names[i : i + 5] for i in range(0, len(names), 5)]


def notes() -> list[Note]:
    """The whole piece."""
    played: list[Note] = []
    chords = bars_of_chords()
    for bar, chord in enumerate(chords):
        keys = [key(name) for name in chord]
        # The harmony breathes: a swell towards the pedal point, and away from it.
        loud = 58 + round(22 * min(bar, len(chords) - bar) / (len(chords) / 2))
        for half in (0, 8):
            start = bar * BAR + half * SIXTEENTH
            played.append((start, 8 * SIXTEENTH, keys[0], loud + 8, 0))
            played.append((start + SIXTEENTH, 7 * SIXTEENTH, keys[1], loud, 0))
            for place, voice in enumerate(FIGURE, start=2):
                accent = 5 if voice == 4 else 0
                played.append(
                    (start + place * SIXTEENTH, SIXTEENTH, keys[voice], loud - 6 + accent, 1)
                )
    for bar, line in enumerate(CADENCE, start=len(chords)):
        for place, name in enumerate(line.split()):
            held = 16 - place if place < 2 else 1
            hand = 0 if place < 2 else 1
            played.append(
                (bar * BAR + place * SIXTEENTH, held * SIXTEENTH, key(name), 62 - place, hand)
            )
    end = (len(chords) + len(CADENCE)) * BAR
    for place, name in enumerate(LAST_CHORD.split()):
        played.append((end, BAR, key(name), 60, 0 if place < 2 else 1))
    return played


def write(path: Path) -> None:
    """Write the piece as a MIDI file of format 1: tempo, right hand, left hand."""
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    tempo = mido.MidiTrack()
    tempo.append(mido.MetaMessage("track_name", name="Prelude in C major, BWV 846"))
    tempo.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    tempo.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(BPM)))
    before = len(bars_of_chords()) * BAR
    for bpm in SLOWING_BPM:
        tempo.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=before))
        before = BAR
    song.tracks.append(tempo)
    for hand, name in ((1, "Right hand"), (0, "Left hand")):
        song.tracks.append(_track(name, [note for note in notes() if note[4] == hand]))
    song.save(path)


def _track(name: str, played: list[Note]) -> mido.MidiTrack:
    """One hand as a track."""
    events = []
    for start, length, number, velocity, _ in played:
        events.append((start + length, 0, mido.Message("note_off", note=number)))
        events.append((start, 1, mido.Message("note_on", note=number, velocity=velocity)))
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


if __name__ == "__main__":
    write(Path(sys.argv[1]))
