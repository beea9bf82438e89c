"""LRC files, and what of their lines is shown when."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import CompositionError
from shared.lrc import MAX_CHARACTERS, MAX_LINES, parse_lrc, read_lrc
from shared.lyrics import (
    LEAD_IN_S,
    LINGER_S,
    LyricLine,
    Syllable,
    TimedText,
    lyric_line,
    lyrics_at,
    shown_line,
    sung,
)

SONG = """\
[ti: Spring ]
[ar:Anna]
[by:nobody]

[00:01.00]Snow is gone
[00:03.50]
[00:10.00][00:30.00]Birds are back
[00:14.00]All of them
"""


def times(lines: tuple[LyricLine, ...]) -> list[tuple[float, float]]:
    return [(line.start_s, line.end_s) for line in lines]


def starts(text: str) -> list[float]:
    return [line.start_s for line in parse_lrc(text).lines]


def test_lines_last_until_the_next_a_blank_one_or_as_long_as_they_take() -> None:
    lrc = parse_lrc(SONG)
    assert (lrc.title, lrc.artist) == ("Spring", "Anna")
    assert [line.text for line in lrc.lines] == [
        "Snow is gone",
        "Birds are back",
        "All of them",
        "Birds are back",
    ]
    assert times(lrc.lines) == [(1, 3.5), (10, 14), (14, 18), (30, 34)]


def test_words_without_times_share_their_line_by_length() -> None:
    (line,) = parse_lrc("[00:10.00]I went away\n[00:22.00]").lines
    words = [(word.text, word.start_s, word.end_s) for word in line.words]
    # 12 letters and spaces would take 4 s, sung slowly.
    assert line.end_s == 14
    assert words == [
        ("I", 10, pytest.approx(10 + 4 * 2 / 12)),
        ("went", pytest.approx(10 + 4 * 2 / 12), pytest.approx(10 + 4 * 7 / 12)),
        ("away", pytest.approx(10 + 4 * 7 / 12), 14),
    ]


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("[01:02]", 62),
        ("[1:2]", 62),
        ("[01:02.5]", 62.5),
        ("[01:02.05]", 62.05),
        ("[01:02.005]", 62.005),
        ("[01:02,25]", 62.25),
        ("[01:02:25]", 62.25),
        ("[1:01:02.25]", 3662.25),
        ("[75:00.00]", 4500),
        (" [ 01:02.5 ] ", 62.5),
        ("<01:02.5>", 62.5),
    ],
)
def test_stamps_of_all_kinds(stamp: str, seconds: float) -> None:
    assert starts(f"{stamp}la") == [seconds]


def test_times_of_words_and_of_syllables() -> None:
    (line,) = parse_lrc("[00:01.00] <00:01.00> Hel<00:01.50>lo <00:02.00> world <00:04.00>").lines
    assert [[(s.text, s.start_s, s.end_s) for s in word.syllables] for word in line.words] == [
        [("Hel", 1, 1.5), ("lo", 1.5, 2)],
        [("world", 2, 4)],
    ]


def test_times_of_words_in_square_brackets_and_without_an_end() -> None:
    first, second = parse_lrc("[00:01.00]One [00:02.00]two\n[00:02.50]three").lines
    assert [(word.text, word.start_s, word.end_s) for word in first.words] == [
        ("One", 1, 2),
        ("two", 2, 2.5),
    ]
    assert second.text == "three"


def test_times_of_words_go_along_when_a_line_is_repeated() -> None:
    lines = parse_lrc("[00:01.00][00:11.00]<00:01.00>One <00:02.00>two<00:03.00>").lines
    assert [[word.start_s for word in line.words] for line in lines] == [[1, 2], [11, 12]]
    assert times(lines) == [(1, 3), (11, 13)]


def test_times_in_disorder_are_put_right() -> None:
    first, second = parse_lrc("[00:05.00]b\n[00:01.00]<00:03.00>a <00:02.00>c <00:09.00>d").lines
    assert [word.start_s for word in first.words] == [3, 3, 5]
    assert (first.end_s, second.start_s) == (5, 5)


def test_a_second_text_of_the_same_time_stands_below() -> None:
    lines = parse_lrc("[00:01.00]Schnee\n[00:01.00]Snow\n[00:01.00]Schnee\n[00:02.00]").lines
    assert [(line.text, line.below, line.end_s) for line in lines] == [("Schnee", ("Snow",), 2)]


def test_voices_are_no_text() -> None:
    assert parse_lrc("[00:01.00]F: Hello\n[00:02.00]v2: Hi").lines[0].text == "Hello"
    assert parse_lrc("[00:01.00]Five: six").lines[0].text == "Five: six"


def test_junk_is_passed_over() -> None:
    text = "WEBVTT\n[00:01.00]la\nla la\n[xx:yy]\n[00:zz.00]no\n[]\n<>\n[Chorus]"
    assert [line.text for line in parse_lrc(text).lines] == ["la"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf[ti:F\xc3\xbcr]\r\n[00:01.00]\xc3\xbc\r\n",
        "[ti:Für]\n[00:01.00]ü".encode("utf-16"),
        b"[ti:F\xfcr]\r[00:01.00]\xfc",
    ],
)
def test_encodings(data: bytes) -> None:
    lrc = read_lrc(data)
    assert (lrc.title, lrc.lines[0].text) == ("Für", "ü")


def test_what_has_no_times_is_refused() -> None:
    with pytest.raises(CompositionError, match=r"no time stamps, such as \[01:23\.45\]"):
        parse_lrc("[ti:Song]\nJust a poem\n")
    assert parse_lrc("[00:01.00]\n").lines == ()


@pytest.mark.parametrize(
    "text",
    [
        "[00:01.00]la\n" * (MAX_LINES + 1),
        "[00:01.00]" * 2000 + "la " * (MAX_CHARACTERS // 3000),
    ],
)
def test_what_is_no_song_is_refused(text: str) -> None:
    with pytest.raises(CompositionError, match="no song"):
        parse_lrc(text)


stamps = st.integers(0, 599_999).map(
    lambda ms: f"{ms // 60000:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
)
words = st.sampled_from(["la", "Hello", "x", "so", "日本", "", " "])
rows = st.one_of(
    st.builds(lambda a, text: f"[{a}]{' '.join(text)}", stamps, st.lists(words, max_size=4)),
    st.builds(
        lambda a, rest: f"[{a}]" + "".join(f"<{b}>{text} " for b, text in rest),
        stamps,
        st.lists(st.tuples(stamps, words), max_size=4),
    ),
    st.builds(lambda a, b, text: f"[{a}][{b}]{text}", stamps, stamps, words),
)
files = st.lists(rows, min_size=1, max_size=12).map("\n".join)


def syllables(lines: tuple[LyricLine, ...]) -> list[Syllable]:
    return [s for line in lines for word in line.words for s in word.syllables]


@given(files)
def test_lines_and_syllables_are_in_order_and_never_overlap(text: str) -> None:
    lines = parse_lrc(text).lines
    every = syllables(lines)
    assert all(s.start_s <= s.end_s for s in every)
    assert all(one.end_s <= two.start_s for one, two in pairwise(every))
    assert all(one.end_s <= two.start_s for one, two in pairwise(lines))


@given(files, st.integers(-100_000, 100_000))
def test_an_offset_moves_all_times_and_nothing_else(text: str, offset_ms: int) -> None:
    plain = syllables(parse_lrc(text).lines)
    moved = syllables(parse_lrc(f"{text}\n[offset:{offset_ms:+}]").lines)
    assert [s.text for s in moved] == [s.text for s in plain]
    assert [t for s in moved for t in (s.start_s, s.end_s)] == pytest.approx(
        [t - offset_ms / 1000 for s in plain for t in (s.start_s, s.end_s)]
    )


@given(st.text(st.sampled_from("[]<>:.,0123456789 aF-+\n\r\ufeff"), max_size=60))
def test_any_text_is_read_or_refused_with_our_error(text: str) -> None:
    try:
        parse_lrc(text)
    except CompositionError as error:
        assert "time stamps" in error.message  # noqa: PT017 (both outcomes are right)


@given(files, st.floats(-10, 700))
def test_one_line_is_shown_at_a_time_and_always_while_it_is_sung(text: str, t: float) -> None:
    lines = parse_lrc(text).lines
    shown = [shown_line(lines, index) for index in range(len(lines))]
    assert all(s.from_s <= s.line.start_s <= s.line.end_s <= s.until_s for s in shown)
    assert all(one.until_s <= two.from_s for one, two in pairwise(shown))
    at = lyrics_at(lines, t, following=2)
    seen = [s for s in shown if s.from_s <= t < s.until_s]
    if at.current is None:
        assert not seen
        assert at.following == tuple(line for line in lines if line.start_s > t)[:2]
    else:
        assert seen in ([at.current], [])
        index = lines.index(at.current.line)
        assert at.following == lines[index + 1 : index + 3]


def test_a_line_is_shown_a_little_longer_than_it_is_sung() -> None:
    lines = parse_lrc("[00:10.00]a\n[00:12.00]\n[00:12.50]b\n[00:14.00]\n[00:30.00]c").lines
    first, second, third = (shown_line(lines, index) for index in range(3))
    assert (first.from_s, first.until_s) == (10 - LEAD_IN_S, 12.25)
    assert (second.from_s, second.until_s) == (12.25, 14 + LINGER_S)
    assert third.from_s == 30 - LEAD_IN_S
    assert lyrics_at(lines, 20).current is None
    assert lyrics_at(lines, 20).following == lines[2:]


def test_how_much_of_a_syllable_is_sung() -> None:
    line = lyric_line(
        [
            TimedText(start_s=1, end_s=2, text="Hel"),
            TimedText(start_s=2, end_s=2, text="lo "),
            TimedText(start_s=3, end_s=4, text=" you"),
        ]
    )
    assert line is not None
    assert [word.text for word in line.words] == ["Hello", "you"]
    hel, lo = line.words[0].syllables
    assert [sung(hel, t) for t in (0, 1, 1.25, 2, 9)] == [0, 0, 0.25, 1, 1]
    assert [sung(lo, t) for t in (1.99, 2)] == [0, 1]
    assert sung(line, 2.5) == 0.5
    assert lyric_line([TimedText(start_s=0, end_s=1, text=" ")]) is None
