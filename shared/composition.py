"""What is drawn and heard: a composition of layers over one stage.

A composition says nothing in pixels. Lengths are fractions of a key, of the frame's short side
or seconds, so the same composition fills 16:9, 1:1 and 9:16. Together with a song and a time it
determines a frame completely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.colour import Colour
from shared.errors import CompositionError

F = TypeVar("F", bound=Mapping[str, Any])

Fraction01 = Annotated[float, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Direction(StrEnum):
    """Where notes travel to; the keyboard lies at the edge where they are struck."""

    FALLING = "falling"
    """Down, to a keyboard at the bottom."""
    RISING = "rising"
    """Up, to a keyboard at the top."""
    LEFT = "left"
    """Leftwards, to a keyboard at the left edge, high notes on top."""
    RIGHT = "right"
    """Rightwards, to a keyboard at the right edge, high notes on top."""


class Stage(_Model):
    """The geometry that roll, keyboard, grid and flashes share."""

    direction: Direction = Field(default=Direction.FALLING, description="Where notes travel to.")
    keys: Literal["auto", "piano", "used"] = Field(
        default="auto",
        description="The keys shown. `piano`: the 88 of a piano, more where the song goes beyond; "
        "`used`: the range that the song uses; `auto`: the 88 where the frame is long enough "
        "for them, or else the range used.",
    )
    seconds_ahead: float = Field(
        default=3.0, gt=0, le=60, description="How long a note is seen before it is struck."
    )
    seconds_after: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="How long a note travels on behind the line where it is struck.",
    )


class Colouring(_Model):
    """How notes, lit keys and flashes get their colours."""

    by: Literal["part", "track", "channel", "pitch", "pitch_class", "velocity"] = Field(
        default="part",
        description="What chooses the colour. `part`: each pair of track and channel; `pitch` and "
        "`velocity` blend through the palette from low to high.",
    )
    palette: tuple[Colour, ...] = Field(
        default=("#38bdf8", "#a78bfa", "#f472b6", "#fbbf24", "#34d399", "#fb7185"),
        min_length=1,
        max_length=128,
        description="The colours, repeated where there are more parts than colours.",
    )
    black_key_shade: Fraction01 = Field(
        default=0.72, description="Brightness of a black key's note beside a white key's."
    )
    velocity_shade: Fraction01 = Field(
        default=0.25, description="How much darker the softest note is than the loudest."
    )


class GradientStop(_Model):
    """A colour at a place along a gradient."""

    at: Fraction01 = Field(description="Place along the gradient, 0 to 1.")
    colour: Colour = Field(description="Colour there.")


class BackgroundLayer(_Model):
    """What lies behind everything: a colour, a gradient or an image."""

    type: Literal["background"] = "background"
    colour: Colour = Field(default="#0b1020", description="Fill, and surround of a smaller image.")
    gradient: tuple[GradientStop, ...] = Field(
        default=(), max_length=8, description="Two or more stops in the order of their places."
    )
    gradient_angle_deg: float = Field(
        default=90.0, ge=-360, le=360, description="0 runs left to right, 90 top to bottom."
    )
    image: str | None = Field(
        default=None, description="An image: a file's path, or its asset key once uploaded."
    )
    fit: Literal["cover", "contain", "stretch"] = Field(
        default="cover", description="How an image of another shape is fitted to the frame."
    )
    dim: Fraction01 = Field(default=0.0, description="How much the image is darkened.")
    vignette: Fraction01 = Field(default=0.0, description="How much the corners are darkened.")

    @model_validator(mode="after")
    def _stops_in_order(self) -> BackgroundLayer:
        places = [stop.at for stop in self.gradient]
        if len(places) == 1 or places != sorted(places):
            raise ValueError("a gradient needs two or more stops in the order of their places")
        return self


class GridLayer(_Model):
    """Bar and beat lines from the song's tempo and meter map, and lanes between octaves."""

    type: Literal["grid"] = "grid"
    bar_colour: Colour = Field(default="#ffffff24", description="Line at each bar.")
    beat_colour: Colour = Field(default="#ffffff0a", description="Line at each other beat.")
    lane_colour: Colour = Field(default="#ffffff08", description="Line along each C and F.")
    width: float = Field(
        default=0.16, gt=0, le=5, description="Width of a bar line in % of the short side."
    )
    bar_numbers: bool = Field(default=True, description="Whether bars are numbered at the edge.")


class PianoRollLayer(_Model):
    """The notes, travelling to the line where they are struck."""

    type: Literal["piano_roll"] = "piano_roll"
    corner_radius: float = Field(
        default=0.3, ge=0, le=0.5, description="Of a note's corners, as a fraction of its width."
    )
    gap: float = Field(
        default=0.08, ge=0, le=0.8, description="Space between lanes, as a fraction of a lane."
    )
    glow: float = Field(
        default=0.8, ge=0, le=2, description="Strength of the light around a sounding note."
    )
    glow_radius: float = Field(
        default=2.2, ge=0, le=10, description="Reach of that light in % of the short side."
    )
    sheen: Fraction01 = Field(
        default=0.35, description="Strength of the highlight along a note's edge."
    )
    outline: bool = Field(default=False, description="Whether only the edge of a note is filled.")
    percussion: Literal["auto", "show", "hide"] = Field(
        default="auto",
        description="Whether drum hits are drawn; `auto`: only where there is nothing else.",
    )


class KeyboardLayer(_Model):
    """The keys, lit while they sound."""

    type: Literal["keyboard"] = "keyboard"
    white_colour: Colour = Field(default="#f4f1ea", description="A white key at rest.")
    black_colour: Colour = Field(default="#17181d", description="A black key at rest.")
    line_colour: Colour = Field(default="#c8435a", description="The strip along the hit line.")
    length: float = Field(
        default=5.6, gt=0.5, le=12, description="Length of a white key in widths of a white key."
    )
    light: Fraction01 = Field(default=0.9, description="How far a pressed key takes its colour.")


class HitFlashLayer(_Model):
    """A flash of light where and when a note is struck."""

    type: Literal["hit_flash"] = "hit_flash"
    size: float = Field(
        default=3.2, gt=0, le=20, description="Radius of a flash in % of the short side."
    )
    strength: float = Field(default=0.9, ge=0, le=4, description="Brightness at the strike.")
    decay_s: float = Field(
        default=0.16, gt=0, le=5, description="Time in which it falls to a third (1/e)."
    )


class TitleLayer(_Model):
    """Title and artist, shown for a while at the start of the song."""

    type: Literal["title"] = "title"
    text: str = Field(
        default="", max_length=200, description="The title; the song's own where it is empty."
    )
    artist: str = Field(default="", max_length=200, description="A second, smaller line.")
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
    font: str | None = Field(
        default=None, description="A TrueType or OpenType file, or its asset key once uploaded."
    )


Layer = Annotated[
    BackgroundLayer | GridLayer | PianoRollLayer | KeyboardLayer | HitFlashLayer | TitleLayer,
    Field(discriminator="type"),
]


class Composition(_Model):
    """Everything that determines a frame, but for the song and the time."""

    stage: Stage = Field(default_factory=Stage, description="Geometry shared by the layers.")
    colouring: Colouring = Field(default_factory=Colouring, description="Colours of notes.")
    layers: tuple[Layer, ...] = Field(
        min_length=1, max_length=64, description="Drawn in this order, the first at the back."
    )
    sustain_pedal: bool = Field(
        default=False, description="Whether notes last as long as the sustain pedal holds them."
    )
    tail_s: float = Field(
        default=1.5, ge=0, le=60, description="How long the video goes on after the last note."
    )
    audio_offset_s: float = Field(
        default=0.0,
        ge=-86400,
        le=86400,
        description="Song time at which the recording begins: 0.5 where the recording's first "
        "sample belongs half a second into the MIDI, negative where the recording begins earlier.",
    )

    @property
    def keyboard(self) -> KeyboardLayer | None:
        """The first keyboard layer; its length gives the stage its shape."""
        return next((layer for layer in self.layers if isinstance(layer, KeyboardLayer)), None)


def parse_composition(text: str, name: str) -> Composition:
    """Read a composition from JSON.

    Raises:
        CompositionError: Names every field that does not fit and what is wrong with it.
    """
    try:
        return Composition.model_validate_json(text)
    except ValidationError as exc:
        raise CompositionError(f"{name} is no composition: {describe(exc)}.") from exc


def describe(error: ValidationError) -> str:
    """The findings of a validation as one line: ``layers.0.colour: …; stage.keys: …``."""
    findings = []
    for finding in true_findings(error.errors()):
        place = ".".join(str(part) for part in _written(finding["loc"]))
        message = finding["msg"].removeprefix("Value error, ")
        findings.append(f"{place}: {message}" if place else message)
    return "; ".join(findings)


def true_findings(findings: Sequence[F]) -> list[F]:
    """Pydantic's findings without those that only follow from others.

    It leaves out the items of a list that do not fit, and then misses them.
    """
    return [
        finding
        for finding in findings
        if finding["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(finding["loc"])
            and other["loc"][: len(finding["loc"])] == finding["loc"]
            for other in findings
        )
    ]


def _written(place: tuple[int | str, ...]) -> list[int | str]:
    """A place as it is written: pydantic names the type of a layer as if it were a field."""
    return [
        part
        for index, part in enumerate(place)
        if not (index >= 2 and place[index - 2] == "layers" and isinstance(place[index - 1], int))
    ]
