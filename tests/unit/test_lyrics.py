"""Lyrics in MIDI files, of both customs and of what lies between."""

from __future__ import annotations

from fractions import Fraction

import mido
import pytest

from shared.lyrics import LyricLine
from tests.songs import SongFile
from workers.music.lyrics import LINE_CHARACTERS, song_lyrics

TICKS_PER_S = 960


def lyrics(
    texts: str | list[str],
    *,
    kind: str = "lyrics",
    every_s: float = 0.5,
    track: int = 0,
    file: SongFile | None = None,
) -> tuple[LyricLine, ...]:
    file = SongFile() if file is None else file
    for number, text in enumerate(texts.split("|") if isinstance(texts, str) else texts):
        tick = round(number * every_s * TICKS_PER_S)
        # mido writes Latin-1; what is read is UTF-8.
        latin = text.encode().decode("latin-1")
        file.message(tick, mido.MetaMessage(kind, text=latin), track=track)
    return song_lyrics(file.song())


def written(lines: tuple[LyricLine, ...]) -> list[list[str]]:
    """Lines of words, their syllables parted by dots."""
    return [["·".join(s.text for s in word.syllables) for word in line.words] for line in lines]


def test_karaoke_files_have_lines_and_verses_and_tell_about_themselves() -> None:
    texts = r"@KMIDI KARAOKE FILE|@TSnow|\Snow |is |/fal|ling, ye|ah|\A|gain"
    lines = lyrics(texts, kind="text", track=1)
    assert written(lines) == [["Snow", "is"], ["fal·ling,", "ye·ah"], ["A·gain"]]
    assert [line.start_s for line in lines] == [1, 2, 3.5]
    # "ling, ye" is sung in half a second: 5 and 2 letters with a space each.
    _, ling = lines[1].words[0].syllables
    assert (ling.start_s, ling.end_s) == (2.5, pytest.approx(2.5 + 0.5 * 6 / 9))


def test_karaoke_without_any_marks_is_known_by_the_name_of_its_track() -> None:
    file = SongFile("Song").message(0, mido.MetaMessage("track_name", name="Words"), track=1)
    assert written(lyrics("la |la |la", kind="text", track=1, file=file)) == [["la", "la", "la"]]
    assert lyrics("Written by nobody|in 1900", kind="text") == ()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("Hel|lo |world\r|bye", [["Hel·lo", "world"], ["bye"]]),
        ("Hel|lo| world\r\n|bye", [["Hel·lo", "world"], ["bye"]]),
        ("Hel|lo |world|\r|bye|\n|now", [["Hel·lo", "world"], ["bye"], ["now"]]),
        ("Hel-|lo|world|\rbye", [["Hel·lo", "world"], ["bye"]]),
        ("Hel-|lo |twen-|ty |\rbye", [["Hel·lo", "twen·ty"], ["bye"]]),
        ("Hel- |lo |world |\rbye", [["Hel·lo", "world"], ["bye"]]),
        ("Hel|-|lo|world|\rbye", [["Hel·lo", "world"], ["bye"]]),
        ("Hel-|lo|_|world|\rbye", [["Hel·lo", "world"], ["bye"]]),
        ("Hel|lo |twenty-|one |\rbye", [["Hel·lo", "twenty-·one"], ["bye"]]),
        ("one|two|\rthree", [["one", "two"], ["three"]]),
        ("la| |la| |la\r|so", [["la", "la", "la"], ["so"]]),
        ("春|が|\r来|た", [["春·が"], ["来·た"]]),
        ("{@LATIN}{#Title=Snow}|Snow |and/or |ice\r", [["Snow", "and/or", "ice"]]),
        ("well-\r|known", [["well-"], ["known"]]),
    ],
)
def test_words_are_told_by_spaces_or_by_hyphens(texts: str, expected: list[list[str]]) -> None:
    assert written(lyrics(texts)) == expected


def test_what_stands_in_the_file_twice_is_sung_once() -> None:
    file = SongFile()
    for tick, text in ((0, "la "), (480, "so ")):
        file.message(tick, mido.MetaMessage("lyrics", text=text))
    assert written(lyrics("la |so ", file=file)) == [["la", "so"]]


def test_of_several_voices_the_fullest_is_taken() -> None:
    file = SongFile()
    lyrics("la |la ", track=1, file=file)
    assert written(lyrics("la |la |la ", track=2, file=file)) == [["la", "la", "la"]]


def test_without_marks_a_pause_parts_lines() -> None:
    file = SongFile()
    for number, start_s in enumerate((0, 1, 2, 6, 7)):
        file.message(start_s * TICKS_PER_S, mido.MetaMessage("lyrics", text=f"{number} "))
    lines = song_lyrics(file.song())
    assert written(lines) == [["0", "1", "2"], ["3", "4"]]
    assert [line.end_s for line in lines] == [2.5, 7.5]


def test_a_held_note_is_no_pause_and_its_end_is_that_of_the_syllable() -> None:
    file = SongFile()
    for start_s, end_s in ((0, 1), (1, 3.5), (4, 4.25), (4.25, 5), (7, 8)):
        file.note(start_s, end_s, 60)
    for number in range(40):
        file.note(Fraction(number, 4), Fraction(number + 1, 4), 40, channel=1)
    for start_s, text in ((0, "one "), (1, "two "), (4, "three "), (7, "four ")):
        file.message(start_s * TICKS_PER_S, mido.MetaMessage("lyrics", text=text))
    lines = song_lyrics(file.song())
    assert written(lines) == [["one", "two", "three"], ["four"]]
    # "three" is sung on two notes.
    assert [(w.start_s, w.end_s) for line in lines for w in line.words] == [
        (0, 1),
        (1, 3.5),
        (4, 5),
        (7, 8),
    ]


def test_long_lines_are_parted_between_words_into_about_equal_ones() -> None:
    lines = lyrics(["some ", "thi", "ngs "] * 12)
    assert len(lines) == 5
    assert all(len(line.text) <= LINE_CHARACTERS + 6 for line in lines)
    assert sum(len(line.words) for line in lines) == 24
    marked = lyrics(["word "] * 10 + ["\rword "] + ["word "] * 40)
    assert len(marked[0].words) == 10
    assert all(len(line.text) <= 69 for line in marked)


def test_a_song_without_lyrics_has_none() -> None:
    assert song_lyrics(SongFile("Song").note(0, 1, 60).song()) == ()
    assert lyrics(" |\r|_|-") == ()
