"""The chords of a song, and what notes are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pitch_names import note_name
from tests.songs import SongFile
from workers.midi import NoteTable, read_midi
from workers.music.chord_shapes import SHAPES
from workers.music.chords import Chord, Chords, chord_names

METER = SongFile().song().meter_map
"""4/4 at 120 beats a minute: bars of 2 s."""
SHARPS = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
PRELUDE = [
    (60, 64, 67, 72, 76),
    (60, 62, 69, 74, 77),
    (59, 62, 67, 74, 77),
    (60, 64, 67, 72, 76),
    (60, 64, 69, 76, 81),
    (60, 62, 66, 69, 74),
    (59, 62, 67, 74, 79),
    (59, 60, 64, 67, 72),
    (57, 60, 64, 67, 72),
    (50, 57, 62, 66, 72),
    (55, 59, 62, 67, 71),
]
"""The notes of each half bar of the beginning of Bach's prelude in C, BWV 846."""

Row = tuple[float, float, int]


def table(rows: Iterable[Row], velocity: int = 80, channel: int = 0) -> NoteTable:
    start_s, end_s, key = (np.array(column) for column in zip(*rows, strict=True))
    same = np.ones(len(key))
    return NoteTable.build(
        start_s=start_s,
        end_s=end_s,
        key=key,
        velocity=same * velocity,
        channel=same * channel,
        track=same * 0,
    )


def bars(*chords: Sequence[int]) -> NoteTable:
    """Each chord for a bar."""
    return table((2.0 * n, 2.0 * n + 2, key) for n, chord in enumerate(chords) for key in chord)


def names(chords: Chords) -> list[str]:
    return [chord.name for chord in chords.chords]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.suffix or "major")
def test_every_shape_is_known_on_every_root(shape) -> None:
    chords = [[48 + root + tone for tone in shape.tones] for root in range(12)]
    for root, chord in enumerate(chords):
        (found,) = chord_names(bars(chord), METER, flats=False).chords
        assert (found.name, found.root, found.bass) == (SHARPS[root] + shape.suffix, root, root)
        assert (found.start_s, found.end_s) == (0, 2)
    together = chord_names(bars(*chords), METER, flats=False)
    assert names(together) == [root + shape.suffix for root in SHARPS]
    assert together.starts_s.tolist() == [2.0 * bar for bar in range(12)]


@pytest.mark.parametrize(
    ("chord", "name"),
    [
        ((59, 62, 65, 67), "G7/B"),
        ((60, 62, 65, 69), "Dm7/C"),
        ((52, 60, 67), "C/E"),
        ((55, 60, 64), "C/G"),
        ((54, 57, 62), "D/F♯"),
        ((56, 59, 64), "E/G♯"),
        ((51, 55, 60), "Cm/E♭"),
        ((61, 64, 67, 69), "A7/C♯"),
        ((42, 57, 60, 64), "F♯m7♭5"),
        ((60, 67), "C5"),
        ((60, 64), "C"),
        ((57, 60), "Am"),
    ],
)
def test_inversions_and_chords_with_few_notes(chord: tuple[int, ...], name: str) -> None:
    assert names(chord_names(bars(chord), METER)) == [name]


def test_arpeggios_are_the_chords_that_they_are_broken_from() -> None:
    rows: list[Row] = []
    for bar, (bass, tenor, *upper) in enumerate(PRELUDE):
        for half in (2.0 * bar, 2.0 * bar + 1):
            rows += [(half, half + 1, bass), (half + 0.125, half + 1, tenor)]
            for number, key in enumerate(upper * 2):
                start_s = half + 0.25 + number * 0.125
                rows.append((start_s, start_s + 0.125, key))
    found = chord_names(table(rows), METER)
    assert " ".join(names(found)) == "C Dm7/C G7/B C Am/C D7/C G/B Cmaj7/B Am7 D7 G"
    assert found.starts_s.tolist() == [2.0 * bar for bar in range(len(PRELUDE))]


def test_passing_notes_pass() -> None:
    held = [(0.0, 4.0, key) for key in (48, 52, 55)]
    melody = [(n * 0.25, n * 0.25 + 0.25, key) for n, key in enumerate([72, 74, 76, 77] * 4)]
    assert names(chord_names(table(held + melody), METER)) == ["C"]


def test_an_alternating_bass_does_not_change_the_chord() -> None:
    rows: list[Row] = []
    for beat in range(8):
        start_s = beat * 0.5
        rows += [(start_s, start_s + 0.2, (36, 43)[beat % 2])]
        rows += [(start_s + 0.25, start_s + 0.45, key) for key in (60, 64, 67)]
    assert names(chord_names(table(rows), METER)) == ["C"]


def test_chords_may_change_on_every_beat() -> None:
    chords = [(48, 52, 55), (53, 57, 60), (55, 59, 62), (48, 52, 55)]
    rows = [(n * 0.5, n * 0.5 + 0.5, key) for n, chord in enumerate(chords) for key in chord]
    assert names(chord_names(table(rows), METER)) == ["C", "F", "G", "C"]


def test_a_melody_drums_and_silence_are_no_chords() -> None:
    line = table([(n * 2.0, n * 2.0 + 2, key) for n, key in enumerate((60, 62, 64))])
    assert chord_names(line, METER).chords == ()
    for cluster in ((60, 66), (60, 62), (60, 61, 62)):
        assert chord_names(bars(cluster), METER).chords == ()
    drums = table([(0.0, 1.0, key) for key in (36, 40, 43)], channel=9)
    assert chord_names(drums, METER).chords == ()
    assert chord_names(NoteTable.empty(), METER).chord_at(1.0) == ""
    rows = [(start_s, start_s + 2, key) for start_s in (0.0, 10.0) for key in (48, 52, 55)]
    found = chord_names(table(rows), METER)
    assert [(chord.start_s, chord.end_s) for chord in found.chords] == [(0, 2), (10, 12)]


def test_what_sounds_at_a_time_and_in_a_span() -> None:
    found = chord_names(bars((48, 52, 55), (50, 53, 57), (), (), (), (48, 52, 55)), METER)
    assert [found.chord_at(t) for t in (-1, 0, 1.99, 2, 3.99, 4, 9.9, 10, 12)] == [
        *["", "C", "C", "Dm", "Dm", "", "", "C", ""],
    ]
    first, second, third = found.chords
    assert found.chords_between(1, 3) == (first, second)
    assert found.chords_between(2, 10) == (second,)
    assert found.chords_between(4, 10.01) == (third,)
    assert found.chords_between(5, 6) == found.chords_between(12, 99) == ()


@pytest.mark.parametrize(
    ("scale", "chord", "name"),
    [
        (0, (46, 50, 53), "B♭"),
        (0, (49, 52, 55), "C♯dim"),
        (0, (49, 53, 56), "D♭"),
        (0, (54, 57, 61), "F♯m"),
        (3, (44, 48, 51), "A♭"),
        (3, (47, 50, 53), "Bdim"),
        (4, (44, 47, 51), "G♯m"),
        (4, (42, 46, 49), "F♯"),
        (10, (51, 54, 58), "E♭m"),
    ],
)
def test_roots_are_spelled_as_the_key_has_them(
    scale: int, chord: tuple[int, ...], name: str
) -> None:
    triads = [
        [48 + scale + tone for tone in triad] for triad in ((0, 4, 7), (5, 9, 12), (7, 11, 14))
    ]
    assert names(chord_names(bars(*triads * 2, chord), METER))[-1] == name


def test_german_and_romance_names() -> None:
    notes = bars((46, 50, 53), (47, 51, 54), (54, 57, 61), (51, 55, 58))
    assert names(chord_names(notes, METER, naming="german", flats=False))[:3] == [
        "Ais",
        "H",
        "Fism",
    ]
    assert names(chord_names(notes, METER, naming="german", flats=True))[::3] == ["B", "Es"]
    assert names(chord_names(notes, METER, naming="solfege", flats=True))[:2] == ["si♭", "si"]
    assert [note_name(key) for key in range(60, 72)] == SHARPS
    assert [note_name(key, flats=True) for key in (61, 63, 66, 68, 70)] == [
        *["D♭", "E♭", "G♭", "A♭", "B♭"]
    ]
    assert [note_name(key, naming="german") for key in (60, 61, 70, 71)] == [
        *["C", "Cis", "Ais", "H"]
    ]
    assert [note_name(key, naming="german", flats=True) for key in (61, 63, 68, 70, 71)] == [
        *["Des", "Es", "As", "B", "H"]
    ]
    assert note_name(61, octave=True, naming="solfege") == "do♯4"
    assert [note_name(key, octave=True) for key in (0, 21, 60, 127)] == ["C-1", "A0", "C4", "G9"]


times = st.integers(0, 48).map(lambda sixteenth: sixteenth / 8)
lengths = st.integers(1, 16).map(lambda sixteenth: sixteenth / 8)
tables = st.lists(
    st.tuples(times, lengths, st.integers(30, 90)), min_size=1, max_size=24, unique=True
).map(lambda rows: table((start, start + length, key) for start, length, key in rows))


def facts(chord: Chord, semitones: int = 0) -> tuple[float, float, int, str, int]:
    root, bass = ((pitch + semitones) % 12 for pitch in (chord.root, chord.bass))
    return chord.start_s, chord.end_s, root, chord.suffix, bass


def moved(notes: NoteTable, semitones: int) -> NoteTable:
    return NoteTable.build(
        start_s=notes.start_s,
        end_s=notes.end_s,
        key=notes.key + np.int64(semitones),
        velocity=notes.velocity,
        channel=notes.channel,
        track=notes.track,
    )


@settings(max_examples=40)
@given(tables, st.integers(-30, 30))
def test_the_same_notes_elsewhere_are_the_same_chords_elsewhere(
    notes: NoteTable, semitones: int
) -> None:
    here, there = chord_names(notes, METER), chord_names(moved(notes, semitones), METER)
    assert [facts(chord) for chord in there.chords] == [
        facts(chord, semitones) for chord in here.chords
    ]


@settings(max_examples=40)
@given(tables)
def test_octaves_make_no_other_chord(notes: NoteTable) -> None:
    above = moved(notes, 12)
    columns = ("start_s", "end_s", "key", "velocity", "channel", "track")
    both = NoteTable.build(
        **{n: np.concatenate([getattr(notes, n), getattr(above, n)]) for n in columns}
    )
    plain, doubled = chord_names(notes, METER).chords, chord_names(both, METER).chords
    assert [facts(chord) for chord in doubled] == [facts(chord) for chord in plain]


@settings(max_examples=40)
@given(tables)
def test_chords_hold_and_neighbours_differ(notes: NoteTable) -> None:
    chords = chord_names(notes, METER).chords
    end_s = float(notes.end_s.max())
    for one, two in pairwise(chords):
        assert one.end_s <= two.start_s
        assert one.end_s < two.start_s or one.name != two.name
    # The last half of a beat may be cut off by the end of the song.
    assert all(c.end_s - c.start_s >= 0.25 or c.end_s == end_s for c in chords)


def test_six_eight_smpte_and_absurd_tempos_have_chords_too() -> None:
    for message in (
        mido.MetaMessage("time_signature", numerator=6, denominator=8),
        mido.MetaMessage("set_tempo", tempo=1000),
        mido.MetaMessage("set_tempo", tempo=16_000_000),
    ):
        meter = SongFile().message(0, message).note(0, 9, 60).song().meter_map
        assert chord_names(bars((48, 52, 55)), meter).chord_at(1.0) == "C"
    data = bytearray(SongFile().note(0, 9, 60).to_bytes())
    data[12:14] = bytes([256 - 25, 40])
    meter = read_midi(bytes(data)).meter_map
    broken = table((n * 0.25, n * 0.25 + 0.25, (50, 53, 57)[n % 3]) for n in range(8))
    assert names(chord_names(broken, meter)) == ["Dm"]


def test_many_notes_that_lie_across_each_other_are_no_trouble() -> None:
    count = 20_000
    rng = np.random.default_rng(1)
    start_s = np.sort(rng.integers(0, 4800, count)) / 8
    notes = NoteTable.build(
        start_s=start_s,
        end_s=start_s + rng.uniform(0.05, 60, count),
        key=rng.integers(21, 109, count),
        velocity=rng.integers(1, 128, count),
        channel=np.zeros(count),
        track=np.zeros(count),
    )
    found = chord_names(notes, METER)
    assert len(found.starts_s) == len(found.chords)
    assert np.all(np.diff(found.starts_s) > 0)
