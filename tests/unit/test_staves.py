"""Notes on two staves: heights, spelling, ledger lines, and what would cover each other."""

from __future__ import annotations

import numpy as np
import pytest

from workers.midi import NoteTable
from workers.music.staves import Staves, write_staves


def staves(*notes: tuple[float, float, int], channel: int = 0) -> Staves:
    start, end, key = (np.array(column) for column in zip(*notes, strict=True))
    zeros = np.zeros(len(notes), dtype=int)
    table = NoteTable.build(
        start_s=start,
        end_s=end,
        key=key,
        velocity=zeros + 90,
        channel=zeros + channel,
        track=zeros,
    )
    return write_staves(table, 0.05)


C_MAJOR = [(20.0 + n, 21.0 + n, key) for n, key in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]
A_FLAT_MAJOR = [(20.0 + n, 21.0 + n, k) for n, k in enumerate((56, 58, 60, 61, 63, 65, 67, 68))]


def test_each_note_has_its_line_or_space() -> None:
    # The five lines of both staves and middle C, as everybody learns them.
    keys = {43: -10, 47: -8, 50: -6, 53: -4, 57: -2, 60: 0, 64: 2, 67: 4, 71: 6, 74: 8, 77: 10}
    written = staves(*((float(n), n + 1.0, key) for n, key in enumerate(keys)))
    assert written.step.tolist() == list(keys.values())
    assert not written.accidental.any()
    assert written.treble.tolist() == [key >= 60 for key in keys]
    depth = written.depth(written.step, written.treble)
    assert np.all(np.diff(depth) < 0), "higher is higher"
    assert depth[-1] == written.above
    assert depth[0] == written.height - written.below


@pytest.mark.parametrize(
    ("scale", "key", "letter", "accidental"),
    [
        (C_MAJOR, 66, "F", 1),
        (C_MAJOR, 70, "B", -1),
        (A_FLAT_MAJOR, 61, "D", -1),
        (A_FLAT_MAJOR, 68, "A", -1),
    ],
)
def test_black_keys_are_spelled_as_the_key_has_it(
    scale: list[tuple[float, float, int]], key: int, letter: str, accidental: int
) -> None:
    written = staves((0.0, 0.2, key), *scale)
    assert "CDEFGAB"[written.letter[0]] == letter
    assert written.accidental[0] == accidental
    # What is written is what is played.
    natural = np.array([0, 2, 4, 5, 7, 9, 11])[written.letter]
    octave = (written.step - written.letter) // 7 + written.octaves
    assert np.array_equal(60 + 12 * octave + natural + written.accidental, written.notes.key)


def test_ledger_lines_reach_as_far_as_the_head() -> None:
    # Middle C, A5 (one line), C6 (two), D5 (none), E2 (one), C2 (two)
    written = staves(*((float(n), n + 1.0, key) for n, key in enumerate((60, 81, 84, 74, 40, 36))))
    lines, of = written.ledgers(np.arange(6))
    by_head = [lines[of == head].tolist() for head in range(6)]
    assert by_head == [[0], [12], [12, 14], [], [-12], [-12, -14]]


def test_rare_extremes_are_written_an_octave_nearer() -> None:
    usual = [(float(n), n + 1.0, 60 + n % 12) for n in range(300)]
    written = staves(*usual, (400.0, 401.0, 108), (402.0, 403.0, 21))
    assert written.octaves.tolist()[:-2] == [0] * 300
    assert written.octaves[-2] > 0
    assert written.octaves[-1] < 0
    depth = written.depth(written.step, written.treble)
    assert depth.min() >= 0.9
    assert depth.max() <= written.height - 0.9


def test_heads_a_step_apart_stand_beside_each_other() -> None:
    chord = staves((0.0, 1.0, 60), (0.0, 1.0, 62), (0.0, 1.0, 64), (0.0, 1.0, 67))
    assert chord.beside.tolist() == [False, True, False, False]
    melody = staves((0.0, 1.0, 60), (1.0, 2.0, 62), (2.0, 3.0, 64))
    assert not melody.beside.any()


def test_accidentals_of_a_chord_stand_in_columns() -> None:
    chord = staves((0.0, 1.0, 61), (0.0, 1.0, 66), (0.0, 1.0, 82), (1.0, 2.0, 61), *C_MAJOR)
    assert chord.column[:4].tolist() == [0, 1, 0, 0]


def test_of_notes_that_cover_each_other_the_longest_is_written() -> None:
    written = staves(
        (1.0, 1.5, 60), (1.0, 3.0, 60), (1.01, 1.2, 60), (1.0, 2.0, 61), (2.0, 3.0, 60)
    )
    assert written.notes.end_s.tolist() == [3.0, 2.0, 3.0]
    assert written.row.tolist() == [1, 2, 4] or written.row.tolist() == [0, 2, 4]


def test_percussion_is_not_written() -> None:
    drums = staves((0.0, 1.0, 36), channel=9)
    assert len(drums.notes) == 0
    assert len(drums.ledgers(np.arange(0))[0]) == 0
    assert drums.height > 12
