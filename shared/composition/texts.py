"""What is to be read: titles, texts, lyrics, chords and progress."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from shared.animation import Animated
from shared.colour import Colour
from shared.composition.base import Fraction01, Placed
from shared.errors import CompositionError
from shared.lrc import parse_lrc
from shared.tokens import parts_of

FONT = "A TrueType or OpenType file, or an asset id over HTTP."
LONGEST_LRC: Final = 200_000
"""Characters that lyrics may have: a long song with the time of every word has a tenth."""


def _with_times(text: str) -> str:
    if text:
        try:
            parse_lrc(text)
        except CompositionError as exc:
            raise ValueError(exc.message.rstrip(".")) from exc
    return text


LrcText = Annotated[str, Field(max_length=LONGEST_LRC), AfterValidator(_with_times)]
"""The text of an LRC file, which has times; or nothing."""


class TitleLayer(Animated):
    """Title and artist, shown for a while at the start of the song."""

    fixed: ClassVar[frozenset[str]] = frozenset({"from_s", "until_s", "fade_s"})
    type: Literal["title"] = "title"
    text: str = Field(
        default="",
        max_length=200,
        description="The title; the song's own where it is empty. A long one takes up to three "
        "lines.",
    )
    artist: str = Field(default="", max_length=200, description="A last, smaller line.")
    colour: Colour = Field(default="#ffffff", description="Of the text.")
    size: float = Field(
        default=7.0,
        gt=0,
        le=40,
        description="Height of the title's letters in % of the short side.",
    )
    position: Literal["top", "centre", "bottom"] = Field(
        default="top", description="Where in the area of the roll."
    )
    from_s: float = Field(default=0.0, ge=0, description="Video time at which it fades in.")
    until_s: float = Field(default=5.0, gt=0, description="Video time at which it has faded out.")
    fade_s: float = Field(default=0.8, ge=0, description="Length of either fade.")
    font: str | None = Field(default=None, description=FONT)


class TextLayer(Placed):
    """A line of text, which may tell where the song is."""

    fixed: ClassVar[frozenset[str]] = frozenset({"from_s", "until_s", "fade_s"})
    type: Literal["text"] = "text"
    text: str = Field(
        default="{time} / {duration}",
        max_length=500,
        description="What is written. In braces: title, artist, time, duration, remaining, "
        "timecode, bar, beat, bpm, meter, notes (played so far), total_notes, nps (notes a "
        "second), polyphony, progress (%), chord; a brace itself is written twice. Lines are "
        "parted by \\n.",
    )
    artist: str = Field(default="", max_length=200, description="What {artist} stands for.")
    title: str = Field(
        default="", max_length=200, description="What {title} stands for; the song's own if empty."
    )
    size: float = Field(
        default=3.0, gt=0, le=60, description="Height of the letters in % of the short side."
    )
    colour: Colour = Field(default="#ffffff", description="Of the text.")
    align: Literal["left", "centre", "right"] = Field(
        default="centre", description="How several lines stand beneath each other."
    )
    halo: Fraction01 = Field(
        default=0.5, description="Strength of the shade behind letters that keeps them readable."
    )
    from_s: float = Field(default=0.0, ge=0, description="Video time at which it fades in.")
    until_s: float | None = Field(
        default=None, gt=0, description="Video time at which it has faded out; never without it."
    )
    fade_s: float = Field(default=0.6, ge=0, description="Length of either fade.")
    font: str | None = Field(default=None, description=FONT)

    @model_validator(mode="after")
    def _tokens_are_known(self) -> Self:
        for _ in parts_of(self.text):
            pass
        return self


class LyricsLayer(Placed):
    """The words as they are sung: from the MIDI, or from an LRC file."""

    type: Literal["lyrics"] = "lyrics"
    lrc: LrcText = Field(
        default="",
        description="The text of an LRC file; the lyrics in the MIDI where it is empty.",
    )
    offset_s: float = Field(
        default=0.0, ge=-3600, le=3600, description="How much later they come than it says."
    )
    lines: int = Field(
        default=2, ge=1, le=6, description="Lines seen at once: the one that is sung and the next."
    )
    effect: Literal["fill", "word", "line"] = Field(
        default="fill",
        description="What lights up: letters from left to right, whole words, or the line.",
    )
    size: float = Field(
        default=5.5, gt=0, le=40, description="Height of the letters in % of the short side."
    )
    width: Fraction01 = Field(default=0.9, description="Part of the area that a line may take.")
    colour: Colour = Field(default="#ffffff", description="Of what is not yet sung.")
    sung_colour: Colour = Field(default="#ffd166", description="Of what is sung.")
    next_opacity: Fraction01 = Field(default=0.45, description="Of the lines that come next.")
    halo: Fraction01 = Field(
        default=0.7, description="Strength of the shade behind letters that keeps them readable."
    )
    font: str | None = Field(default=None, description=FONT)


class ChordsLayer(Placed):
    """The names of the chords that sound."""

    type: Literal["chords"] = "chords"
    form: Literal["now", "strip", "roll"] = Field(
        default="now",
        description="`now`: the chord that sounds; `strip`: with those that come, on their way; "
        "`roll`: beside the notes, and on their way with them.",
    )
    size: float = Field(
        default=6.0, gt=0, le=40, description="Height of the letters in % of the short side."
    )
    seconds: float = Field(
        default=6.0, gt=0.5, le=60, description="How much of the song a strip shows."
    )
    width: Fraction01 = Field(default=0.6, description="Part of the area's width of a strip.")
    colour: Colour = Field(default="#ffffff", description="Of the chord that sounds.")
    next_colour: Colour = Field(default="#ffffff5c", description="Of those that come.")
    halo: Fraction01 = Field(
        default=0.5, description="Strength of the shade behind letters that keeps them readable."
    )
    font: str | None = Field(default=None, description=FONT)


class ProgressLayer(Placed):
    """How much of the song has been played."""

    type: Literal["progress"] = "progress"
    form: Literal["bar", "ring"] = Field(default="bar", description="A line, or around a circle.")
    width: Fraction01 = Field(default=1.0, description="Part of the area's width of a bar.")
    margin: float = Field(
        default=0.0,
        ge=0,
        le=50,
        description="Distance kept from the edges of the area in % of the short side.",
    )
    radius: float = Field(
        default=20.0,
        gt=0,
        le=100,
        description="Of a ring, to its outer edge, in % of the short side.",
    )
    thickness: float = Field(
        default=0.5, gt=0, le=10, description="Of the line in % of the short side."
    )
    colour: Colour = Field(default="#ffffff", description="Of what was played.")
    rest_colour: Colour = Field(default="#ffffff1c", description="Of what is left.")
    knob: bool = Field(default=False, description="Whether a dot marks the place.")
