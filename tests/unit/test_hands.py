"""Which hand plays a note."""

from __future__ import annotations

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.songs import SongFile
from workers.midi import NoteTable, Song
from workers.music.hands import HAND_SPAN, LEFT, RIGHT, hands

Row = tuple[float, float, int]


def played(*rows: Row, channel: int = 0) -> NoteTable:
    start_s, end_s, key = (np.array(column) for column in zip(*rows, strict=True))
    same = np.ones(len(key))
    return NoteTable.build(
        start_s=start_s,
        end_s=end_s,
        key=key,
        velocity=same * 80,
        channel=same * channel,
        track=same * 0,
    )


def two_tracks(*names: str, keys: tuple[int, ...] = (60, 61, 62, 63)) -> Song:
    file = SongFile()
    for number, name in enumerate(names):
        file.message(0, mido.MetaMessage("track_name", name=name), track=number)
        file.note(0, 1, keys[number], track=number)
    return file.song()


NO_NAMES = SongFile().note(0, 1, 60).song()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left", "right"),
        ("Piano LH", "Piano RH"),
        ("L.H.", "R.H."),
        ("PianoLeft", "PianoRight"),
        ("left_hand", "right_hand"),
        ("linke Hand", "rechte Hand"),
        ("Main gauche", "Main droite"),
        ("lower:2", "upper:"),
        ("down", "up"),
        ("Bass", "Treble"),
    ],
)
def test_names_decide_whatever_is_played(left: str, right: str) -> None:
    crossed = two_tracks(right, left, keys=(40, 80))
    assert hands(crossed.notes, crossed).tolist() == [RIGHT, LEFT]


def test_a_bass_in_a_band_is_no_hand_but_a_left_hand_is() -> None:
    band = two_tracks("Bass", "Treble", "Organ", keys=(70, 72, 45))
    assert hands(band.notes, band).tolist() == [LEFT, RIGHT, RIGHT]
    piano = two_tracks("Left", "Right", "Voice", keys=(72, 45, 80))
    assert hands(piano.notes, piano).tolist() == [RIGHT, LEFT, RIGHT]


def test_of_two_parts_that_lie_apart_the_lower_is_left() -> None:
    file = SongFile()
    for start_s, low, high in ((0, 40, 60), (1, 62, 64), (2, 41, 59)):
        file.note(start_s, start_s + 1, low, channel=3).note(start_s, start_s + 1, high)
    song = file.song()
    assert hands(song.notes, song).tolist() == [LEFT, RIGHT, LEFT, RIGHT, LEFT, RIGHT]


def test_drums_are_right_and_count_for_nothing_else() -> None:
    drums = played((0, 1, 35), (0, 1, 38), channel=9)
    assert hands(drums, NO_NAMES).tolist() == [RIGHT, RIGHT]
    assert hands(NoteTable.empty(), NO_NAMES).tolist() == []


def test_a_chord_too_wide_for_one_hand_is_parted_where_both_can_reach() -> None:
    wide = played(*((0.0, 1.0, key) for key in (65, 69, 72, 81, 84, 88)))
    assert hands(wide, NO_NAMES).tolist() == [LEFT, LEFT, LEFT, RIGHT, RIGHT, RIGHT]
    low = played(*((0.0, 1.0, key) for key in (28, 35, 40, 52)))
    assert hands(low, NO_NAMES).tolist() == [LEFT, LEFT, LEFT, RIGHT]


def test_the_split_follows_the_music() -> None:
    rows: list[Row] = []
    for second in range(40):
        # Both hands wander up by two octaves and more: what was right is left in the end.
        low = 40 + second * 3 // 4
        for part in range(4):
            t = second + part / 4
            rows += [(t, t + 0.25, low + (0, 7, 12, 7)[part]), (t, t + 0.25, low + 22 + part)]
    notes = played(*rows)
    found = hands(notes, NO_NAMES)
    base = 40 + np.floor(notes.start_s).astype(int) * 3 // 4
    assert np.mean(found == (notes.key >= base + 22)) > 0.97


def test_a_melody_across_the_middle_is_not_torn_apart() -> None:
    scale = [55, 57, 59, 60, 62, 64, 65, 67]
    rows = [(n / 8, n / 8 + 0.125, key) for n, key in enumerate(scale * 8)]
    rows += [(n / 1, n + 1.0, 36) for n in range(8)]
    notes = played(*rows)
    assert hands(notes, NO_NAMES).tolist() == [int(key != 36) for key in notes.key]


tables = st.lists(
    st.tuples(
        st.integers(0, 64).map(lambda eighth: eighth / 8),
        st.integers(1, 16).map(lambda eighth: eighth / 8),
        st.integers(0, 127),
    ),
    min_size=1,
    max_size=40,
    unique=True,
)


@settings(max_examples=60)
@given(tables, st.integers(0, 1000).map(lambda quarter: quarter / 4))
def test_the_same_music_later_is_played_the_same(
    rows: list[tuple[float, float, int]], later_s: float
) -> None:
    now = played(*((t, t + length, key) for t, length, key in rows))
    later = played(*((t + later_s, t + later_s + length, key) for t, length, key in rows))
    assert hands(now, NO_NAMES).tolist() == hands(later, NO_NAMES).tolist()


@settings(max_examples=60)
@given(tables)
def test_hands_never_cross_in_a_chord_and_reach_what_they_can(
    rows: list[tuple[float, float, int]],
) -> None:
    notes = played(*((t, t + length, key) for t, length, key in rows))
    found = hands(notes, NO_NAMES)
    for start_s in np.unique(notes.start_s):
        struck = notes.start_s == start_s
        key = np.sort(notes.key[struck].astype(int))
        left, right = (notes.key[struck & (found == hand)].astype(int) for hand in (LEFT, RIGHT))
        assert not (len(left) and len(right)) or left.max() < right.min()

        def beyond(*parts: np.ndarray) -> int:
            return sum(max(0, int(np.ptp(part)) - HAND_SPAN) for part in parts if len(part))

        least = min(beyond(key[:cut], key[cut:]) for cut in range(len(key) + 1))
        assert beyond(left, right) == least
