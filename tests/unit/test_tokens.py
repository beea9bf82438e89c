"""Texts that tell where a song is: what may stand in braces, and what it stands for."""

from __future__ import annotations

from fractions import Fraction

import mido
import pytest

from shared.composition import TextLayer, parse_composition
from shared.errors import CompositionError
from shared.tokens import TOKENS, Token, parts_of
from tests.songs import SongFile
from workers.midi import Song
from workers.music import Music
from workers.music.readings import Readings, clock


def test_braces_hold_tokens_and_doubled_braces_are_braces() -> None:
    parts = parts_of("{{a}} {time}/{ duration }{bar}")
    written = [part if isinstance(part, str) else (part.token,) for part in parts]
    assert written == ["{", "a", "}", " ", ("time",), "/", ("duration",), ("bar",)]
    assert list(parts_of("")) == []


@pytest.mark.parametrize("text", ["{", "a } b", "{time", "{{time}", "{{{time}}"])
def test_a_single_brace_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        list(parts_of(text))


@pytest.mark.parametrize("text", ["{}", "{0}", "{time.real}", "{time!r}", "{time:>9}", "{Time}"])
def test_what_stands_for_nothing_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(ValueError, match="total_notes"):
        list(parts_of(text))


def test_a_composition_names_the_text_that_is_wrong() -> None:
    with pytest.raises(CompositionError, match=r"layers\.0: \{tempo\} stands for nothing.*bpm"):
        parse_composition('{"layers": [{"type": "text", "text": "{tempo}"}]}', "it")
    assert TextLayer(text="".join(f"{{{token}}}" for token in TOKENS))


def a_song() -> Song:
    """At 120 beats a minute; from 4 s on 3/8 at 90 quarters a minute. It ends at 65.5 s."""
    file = SongFile("Its own title")
    for start, end in ((0, 4), (1, 2), (1, Fraction(3, 2)), (65, Fraction(131, 2))):
        file.note(start, end, 60)
    file.message(4 * 960, mido.MetaMessage("time_signature", numerator=3, denominator=8))
    file.message(4 * 960, mido.MetaMessage("set_tempo", tempo=666_667))
    return file.song()


def test_tokens_tell_where_the_song_is() -> None:
    song = a_song()
    readings = Readings(Music(song, song.notes, 70.0), title="T", artist="A")

    def at(time_s: float, *tokens: Token) -> list[str]:
        return [readings.read(token, time_s) for token in tokens]

    assert at(0, "title", "artist", "total_notes") == ["T", "A", "4"]
    assert at(-2, "time", "remaining", "bar", "beat") == ["0:00", "1:26", "1", "1"]
    assert at(-2, "notes", "nps", "polyphony", "progress") == ["0", "0", "0", "0"]
    assert at(0, "notes", "nps", "polyphony", "bpm", "meter") == ["1", "1", "1", "120", "4/4"]
    assert at(1, "notes", "nps", "polyphony") == ["3", "2", "3"]
    assert at(1.5, "notes", "nps", "polyphony") == ["3", "2", "2"]
    assert at(2.75, "bar", "beat") == ["2", "2"]
    assert at(4.0, "bar", "beat", "bpm", "meter") == ["3", "1", "90", "3/8"]
    assert at(4.4, "bar", "beat") == ["3", "2"]
    assert at(61.239, "time", "timecode") == ["1:01", "1:01.23"]
    assert at(1000, "time", "duration", "remaining", "progress") == ["1:26", "1:26", "0:00", "100"]


def test_counts_are_right_at_the_times_of_frames() -> None:
    song = a_song()
    readings = Readings(Music(song, song.notes, 70.0), title="", artist="")
    for fps in (Fraction(24000, 1001), Fraction(30), Fraction(60)):
        shown = [readings.read("timecode", float(k / fps)) for k in range(200)]
        exact = [int(k / fps * 100) for k in range(200)]
        assert shown == [f"0:{n // 100:02}.{n % 100:02}" for n in exact]


def test_a_song_without_bars_notes_or_end_says_so() -> None:
    song = SongFile().song()
    readings = Readings(Music(song, song.notes, 1.5), title="", artist="")
    written = {token: readings.read(token, 0.5) for token in TOKENS}
    assert written["progress"] == "0"
    assert written["time"] == written["duration"] == written["remaining"] == "0:00"
    assert written["notes"] == written["total_notes"] == "0"
    assert written["chord"] == ""
    assert clock(3_725) == "1:02:05"
