"""The keys lie as on a piano."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shared.keyboard import (
    BLACK_WIDTH,
    HIGHEST_KEY,
    LOWEST_KEY,
    KeyRange,
    is_black,
    piano_range,
    used_range,
)

PIANO = KeyRange(LOWEST_KEY, HIGHEST_KEY)
ALL = KeyRange(0, 127)
PAIRS = [(low, high) for low in range(128) for high in range(low, 128)]


def keys_of(keys: KeyRange) -> range:
    return range(keys.low, keys.high + 1)


def test_a_piano_has_88_keys_of_which_52_are_white() -> None:
    whites = [key for key in keys_of(PIANO) if not is_black(key)]
    assert len(keys_of(PIANO)) == 88
    assert len(whites) == 52
    assert PIANO.white_keys == 52


def test_the_black_keys_are_the_sharps() -> None:
    names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    assert [names[key % 12] for key in range(60, 72) if is_black(key)] == [
        "C#",
        "D#",
        "F#",
        "G#",
        "A#",
    ]


@pytest.mark.parametrize("keys", [PIANO, ALL, KeyRange(60, 72)])
def test_white_keys_lie_side_by_side_and_fill_the_keyboard(keys: KeyRange) -> None:
    spans = [keys.span(key) for key in keys_of(keys) if not is_black(key)]
    assert spans == [(float(index), float(index + 1)) for index in range(keys.white_keys)]


@pytest.mark.parametrize("keys", [PIANO, ALL])
def test_keys_go_from_left_to_right(keys: KeyRange) -> None:
    spans = [keys.span(key) for key in keys_of(keys)]
    centres = [left + right for left, right in spans]
    assert centres == sorted(set(centres))
    assert all(left < right for left, right in spans)


def test_a_black_key_lies_across_the_gap_of_its_neighbours() -> None:
    for key in filter(is_black, keys_of(PIANO)):
        left, right = PIANO.span(key)
        (below_left, gap), (gap_again, above_right) = PIANO.span(key - 1), PIANO.span(key + 1)
        assert gap == gap_again
        assert below_left < left < gap < right < above_right
        assert right - left == pytest.approx(BLACK_WIDTH)


def test_black_keys_do_not_touch() -> None:
    blacks = [PIANO.span(key) for key in filter(is_black, keys_of(PIANO))]
    assert all(right < left for (_, right), (left, _) in pairwise(blacks))


def test_every_octave_looks_the_same() -> None:
    for key in range(LOWEST_KEY, HIGHEST_KEY - 11):
        assert PIANO.span(key + 12) == pytest.approx([edge + 7 for edge in PIANO.span(key)])


def test_a_range_begins_at_its_own_left_edge() -> None:
    assert KeyRange(60, 72).span(60) == (0.0, 1.0)
    assert KeyRange(60, 72).white_keys == 8


def test_the_used_range_shows_every_note_between_white_ends() -> None:
    for low, high in PAIRS:
        keys = used_range(low, high)
        assert 0 <= keys.low <= low <= high <= keys.high <= 127, (low, high)
        assert not is_black(keys.low), (low, high)
        assert not is_black(keys.high), (low, high)


def test_the_used_range_is_three_octaves_at_least_and_no_wider_than_it_must() -> None:
    for low, high in PAIRS:
        shown = len(keys_of(used_range(low, high)))
        needed = max(36, high - low + 5)
        assert 36 <= shown <= needed + 2, (low, high)


def test_the_used_range_leaves_room_on_both_sides() -> None:
    for low, high in PAIRS:
        keys = used_range(low, high)
        assert keys.low <= max(0, low - 2), (low, high)
        assert keys.high >= min(127, high + 2), (low, high)


def test_the_piano_range_grows_only_where_a_song_goes_beyond_it() -> None:
    for low, high in PAIRS:
        keys = piano_range(low, high)
        assert not is_black(keys.low), (low, high)
        assert not is_black(keys.high), (low, high)
        assert keys.low <= min(low, LOWEST_KEY) <= keys.low + 1, (low, high)
        assert keys.high - 1 <= max(high, HIGHEST_KEY) <= keys.high, (low, high)
