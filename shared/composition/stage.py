"""The geometry that layers share, and the colours of notes."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shared.animation import Animated
from shared.colour import Colour
from shared.composition.base import Fraction01


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


class Stage(Animated):
    """The geometry that roll, keyboard, grid and lights share."""

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
        description="How long a note travels on behind the line where it is struck; on a hill "
        "at most to its middle.",
    )
    curve_deg: float = Field(
        default=0.0,
        ge=-360,
        le=180,
        description="How far keyboard and roll are bent: the angle between the first key and the "
        "last. Positive: the keys form a smile, and notes come from its middle, as far as the "
        "frame is wide enough. Negative: they form a hill that notes come down to from all sides; "
        "-360 is a whole circle in the middle of the frame.",
    )


class Colouring(Animated):
    """How notes, lit keys and lights get their colours."""

    by: Literal["part", "track", "channel", "hand", "split", "pitch", "pitch_class", "velocity"] = (
        Field(
            default="part",
            description="What chooses the colour. `part`: each pair of track and channel; `hand`: "
            "left and right, as tracks say or as can be played; `split`: below `split_key` and "
            "from it on; `pitch_class`: C to B, in every octave alike; `pitch` and `velocity` "
            "blend through the palette from low to high.",
        )
    )
    palette: tuple[Colour, ...] = Field(
        default=("#38bdf8", "#a78bfa", "#f472b6", "#fbbf24", "#34d399", "#fb7185"),
        min_length=1,
        max_length=128,
        description="The colours, the first for the first part, the left hand, the lower half or "
        "C; begun again where there are more parts than colours.",
    )
    split_key: int = Field(
        default=60, ge=0, le=127, description="First MIDI key of the upper half; 60 is middle C."
    )
    black_key_shade: Fraction01 = Field(
        default=0.72, description="Brightness of a black key's note beside a white key's."
    )
    velocity_shade: Fraction01 = Field(
        default=0.25, description="How much darker the softest note is than the loudest."
    )
