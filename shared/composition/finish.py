"""What is done to the finished frame, in linear light and in one place."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.animation import Animated
from shared.colour import Colour
from shared.composition.base import Fraction01


class Finish(Animated):
    """Bloom, tone mapping, grading, vignette and grain, in this order, over all layers."""

    bloom: float = Field(
        default=0.0, ge=0, le=4, description="How much light bright things throw around them."
    )
    bloom_threshold: float = Field(
        default=1.0, ge=0, le=8, description="Light from which on things shine; 1 is white."
    )
    bloom_radius: Fraction01 = Field(
        default=0.6, description="How far that light reaches: 0 close by, 1 over the frame."
    )
    exposure: float = Field(
        default=0.0, ge=-4, le=4, description="Brightness in stops: 1 doubles the light."
    )
    tone_mapping: Literal["soft", "filmic", "none"] = Field(
        default="soft",
        description="How light beyond white is brought back. `soft`: only what is very bright "
        "changes, and turns white as flames do; `filmic`: all of it, as film does; `none`: it is "
        "cut off.",
    )
    contrast: float = Field(default=1.0, ge=0, le=3, description="1 leaves it as it is.")
    saturation: float = Field(default=1.0, ge=0, le=3, description="1 leaves it; 0 is grey.")
    temperature: float = Field(
        default=0.0, ge=-1, le=1, description="Colder below 0, warmer above."
    )
    tint: float = Field(default=0.0, ge=-1, le=1, description="Greener below 0, pinker above.")
    shadows: Colour = Field(
        default="#808080", description="Colour that dark parts lean to; #808080 is none."
    )
    highlights: Colour = Field(
        default="#808080", description="Colour that bright parts lean to; #808080 is none."
    )
    vignette: Fraction01 = Field(default=0.0, description="How much the corners are darkened.")
    grain: Fraction01 = Field(
        default=0.0, description="Strength of film grain: another pattern 24 times a second."
    )
