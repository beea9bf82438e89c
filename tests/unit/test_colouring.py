"""The colours of notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import Colouring
from tests.songs import SongFile
from workers.layers.scene import note_colours
from workers.music import Music

RED, GREEN, BLUE = "#ff0000", "#00ff00", "#0000ff"


def colours_of(song: SongFile, **colouring: Any) -> NDArray[np.float32]:
    read = song.song()
    settings = Colouring(
        palette=(RED, GREEN, BLUE), black_key_shade=1, velocity_shade=0
    ).model_copy(update=colouring)
    return note_colours(settings, read.notes, Music(read, read.notes, 10.0))


def named(colours: NDArray[np.float32]) -> str:
    """Each as a letter."""
    letters = {linear_rgba(RED)[:3]: "R", linear_rgba(GREEN)[:3]: "G", linear_rgba(BLUE)[:3]: "B"}
    return "".join(letters[tuple(colour)] for colour in colours.tolist())


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("part", "RGBR"),
        ("track", "RRGG"),
        ("channel", "RRBG"),
        ("split", "GGRR"),
        ("pitch_class", "RGRB"),
    ],
)
def test_what_chooses_the_colour(by: str, expected: str) -> None:
    song = SongFile()
    song.note(0, 1, 72, channel=0).note(1, 2, 61, channel=3)
    song.note(2, 3, 48, channel=5, track=7).note(3, 4, 59, channel=7, track=7)
    assert named(colours_of(song, by=by)) == expected


def test_the_split_can_be_moved_and_one_colour_is_repeated() -> None:
    song = SongFile().note(0, 1, 60).note(1, 2, 64)
    assert named(colours_of(song, by="split", split_key=64)) == "RG"
    assert named(colours_of(song, by="split", palette=(BLUE,))) == "BB"


def test_hands_have_two_colours_the_left_the_first() -> None:
    song = SongFile()
    for beat, (high, low) in enumerate(((72, 48), (76, 43), (79, 52))):
        song.note(beat, beat + 1, high, track=1).note(beat, beat + 1, low, track=2)
    assert named(colours_of(song, by="hand")) == "RGRGRG"


def test_colours_blend_and_are_shaded() -> None:
    song = SongFile().note(0, 1, 60, velocity=127).note(1, 2, 72, velocity=1)
    ends = colours_of(song, by="pitch", palette=(RED, BLUE))
    assert named(ends) == "RB"
    shaded = colours_of(song, by="part", velocity_shade=1.0)
    assert shaded[:, 0].tolist() == pytest.approx([1, 1 / 127])
    black = SongFile().note(0, 1, 61)
    assert colours_of(black, by="part", black_key_shade=0.5)[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("by", Colouring.model_fields["by"].annotation.__args__)  # type: ignore[union-attr]
def test_a_song_without_notes_has_no_colours(by: str) -> None:
    assert colours_of(SongFile(), by=by).shape == (0, 3)
