"""Lyrics in motion: when lines climb, how they are parted into rows, how far rows are sung."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from shared.lrc import parse_lrc
from shared.lyrics import LyricLine
from workers.music.karaoke import (
    CLIMB_S,
    MOST_BELOW,
    MOST_LETTERS,
    MOST_ROWS,
    Karaoke,
    Row,
    lit,
    rows_of,
)


def lines(text: str) -> tuple[LyricLine, ...]:
    return parse_lrc(text).lines


def measuring(_: str) -> Callable[[str], float]:
    """Each character is 10 px wide; joiners are not."""
    return lambda text: 10.0 * len(text.replace("\u200d", ""))


def row_of(text: str) -> Row:
    (row,) = rows_of(lines(text)[0], measuring, 1000)
    return row


def test_a_line_takes_over_half_way_up() -> None:
    karaoke = Karaoke(lines("[00:01.00]one\n[00:03.00]two\n[00:05.00]three"))
    half = karaoke.at(3.0)
    assert half is not None
    assert (half.current, half.climbed, half.opacity) == (1, pytest.approx(0.5), 1.0)
    before, after = karaoke.at(3.0 - CLIMB_S / 2 - 1e-6), karaoke.at(3.0 + CLIMB_S / 2)
    assert before is not None
    assert after is not None
    assert (before.current, before.climbed) == (0, 1.0)
    assert (after.current, after.climbed) == (1, 1.0)


def test_lines_appear_and_disappear_around_pauses() -> None:
    karaoke = Karaoke(lines("[00:10.00]<00:10.00>one<00:11.00>\n[00:30.00]<00:30.00>two<00:31.00>"))
    assert karaoke.at(0) is None
    assert karaoke.at(20) is None, "between them nothing is seen"
    assert karaoke.at(40) is None
    seen = karaoke.at(30.5)
    assert seen is not None
    assert (seen.current, seen.climbed, seen.opacity) == (1, 1.0, 1.0), "it does not climb"
    times = [28.0 + step / 100 for step in range(100)]
    opacity = [seen.opacity if (seen := karaoke.at(time)) else 0.0 for time in times]
    assert opacity == sorted(opacity)
    assert max(b - a for a, b in pairwise(opacity)) < 0.1
    assert Karaoke(()).at(0) is None


def test_a_row_is_sung_syllable_by_syllable() -> None:
    row = row_of("[00:01.00]<00:01.00>ab<00:02.00>cd <00:04.00>e<00:05.00>")
    assert row.text == "abcd e"
    assert row.width_px == 60
    places = [row.sung_px(time) for time in (0, 1, 1.5, 2, 3, 4, 4.5, 5, 9)]
    assert places == [0, 0, 10, 20, 30, 50, 55, 60, 60]
    assert row.words == ((1.0, 45.0), (4.0, 60.0)), "cut in the middle of the space"
    assert (lit(1.0, 0.9), lit(1.0, 2.0)) == (0.0, 1.0)


def test_hebrew_and_arabic_are_read_from_the_right() -> None:
    assert row_of("[00:01.00]שלום all").right_to_left
    assert row_of("[00:01.00]مرحبا").right_to_left
    assert not row_of("[00:01.00]all שלום").right_to_left
    assert not row_of("[00:01.00]123").right_to_left


def test_arabic_letters_are_measured_as_they_are_joined() -> None:
    asked: list[str] = []

    def remember(_: str) -> Callable[[str], float]:
        return lambda text: 10.0 * len(asked.append(text) or text.replace("\u200d", ""))

    rows_of(lines("[00:01.00]<00:01.00>مر<00:02.00>حبا<00:03.00>")[0], remember, 1000)
    assert "مر\u200d" in asked
    assert "مرحبا\u200d" not in asked


def test_long_lines_are_parted_into_rows_of_about_equal_width() -> None:
    line = lines("[00:01.00]aaaa bbbb cccc dddd")[0]
    assert [row.text for row in rows_of(line, measuring, 190)] == ["aaaa bbbb cccc dddd"]
    assert [row.text for row in rows_of(line, measuring, 100)] == ["aaaa bbbb", "cccc dddd"]
    rows = rows_of(line, measuring, 20)
    assert len(rows) <= MOST_ROWS
    assert " ".join(row.text for row in rows) == line.text
    assert rows[0].times_s[-1] <= rows[1].times_s[0]


def test_chinese_is_parted_anywhere() -> None:
    line = lines("[00:01.00]<00:01.00>月亮代表我的心啊<00:05.00>")[0]
    rows = rows_of(line, measuring, 50)
    assert [row.text for row in rows] == ["月亮代表", "我的心啊"]
    assert rows[0].sung_px(2.0) == pytest.approx(20)
    assert rows[1].sung_px(3.0) == 0
    assert rows[1].sung_px(5.0) == 40


@pytest.mark.parametrize(
    "text",
    ["la " * 1000, "l" * 3000, "".join(f"<00:{n % 60:02}.00>l" for n in range(60)) * 40],
    ids=["words", "one word", "syllables"],
)
def test_of_a_line_without_end_the_beginning_is_written(text: str) -> None:
    """It would take the square of its length to place."""
    below = "".join(f"\n[00:01.00]{number}" + "x" * 1000 for number in range(10))
    (line,) = Karaoke(lines(f"[00:01.00]{text}{below}")).lines
    assert MOST_LETTERS - 3 <= len(line.text) <= MOST_LETTERS
    assert [len(each) for each in line.below] == [MOST_LETTERS] * MOST_BELOW
    (short,) = lines("[00:01.00]la la\n[00:01.00]below")
    assert Karaoke([short]).lines == (short,)
