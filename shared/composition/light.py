"""Light that strikes make: flashes, waves, beams, trails and particles."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from shared.animation import Animated
from shared.colour import Colour
from shared.composition.base import Fraction01


class HitFlashLayer(Animated):
    """A flash of light where and when a note is struck."""

    type: Literal["hit_flash"] = "hit_flash"
    size: float = Field(
        default=3.2, gt=0, le=20, description="Radius of a flash in % of the short side."
    )
    strength: float = Field(default=0.9, ge=0, le=8, description="Brightness at the strike.")
    decay_s: float = Field(
        default=0.16,
        gt=0,
        le=5,
        description="Time in which it falls to a third (1/e); a little stays while the note lasts.",
    )


class ShockwaveLayer(Animated):
    """A ring that runs outwards from where a note is struck."""

    type: Literal["shockwave"] = "shockwave"
    size: float = Field(
        default=9.0, gt=0, le=100, description="Radius that it reaches, in % of the short side."
    )
    width: float = Field(
        default=0.5, gt=0, le=10, description="Width of the ring in % of the short side."
    )
    duration_s: float = Field(default=0.6, gt=0, le=10, description="How long it runs.")
    strength: float = Field(default=0.7, ge=0, le=8, description="Brightness at the strike.")
    flatness: float = Field(
        default=0.55, gt=0, le=1, description="Its height beside its width: 1 is a circle."
    )
    from_velocity: int = Field(
        default=1, ge=1, le=127, description="Only notes struck at least so hard make one."
    )


class BeamLayer(Animated):
    """A beam of light along the lane of every note that sounds."""

    type: Literal["beams"] = "beams"
    reach: float = Field(
        default=0.8, gt=0, le=1, description="How far it reaches into the roll, 1 is all of it."
    )
    width: float = Field(
        default=1.6, gt=0, le=20, description="Its width in widths of a white key."
    )
    strength: float = Field(default=0.35, ge=0, le=8, description="Brightness at the strike.")
    hold: Fraction01 = Field(
        default=0.4, description="How bright it stays while the note lasts, beside the strike."
    )
    decay_s: float = Field(
        default=0.35, gt=0, le=10, description="Time in which it falls to a third (1/e)."
    )


class TrailLayer(Animated):
    """Light that notes leave behind on their way."""

    type: Literal["trails"] = "trails"
    length_s: float = Field(
        default=0.8, gt=0, le=10, description="How long ago a note was where its trail ends."
    )
    width: float = Field(
        default=0.9, gt=0, le=4, description="Width of a trail beside that of its note."
    )
    strength: float = Field(default=0.35, ge=0, le=4, description="Brightness at the note.")


class ParticlesLayer(Animated):
    """Sparks from the strikes, dust from sounding notes, or motes that float everywhere."""

    fixed: ClassVar[frozenset[str]] = frozenset({"seed"})
    type: Literal["particles"] = "particles"
    source: Literal["strikes", "sounding", "ambient"] = Field(
        default="strikes",
        description="Where they come from: a burst at every strike, a stream while a note "
        "sounds, or the whole frame.",
    )
    form: Literal["spark", "dust", "star", "ring"] = Field(
        default="spark",
        description="`spark`: drawn out along its way; `dust`: a soft dot; `star`: with rays; "
        "`ring`: a bubble.",
    )
    amount: int = Field(
        default=48,
        ge=0,
        le=2000,
        description="Particles of a burst; of a second of sound; of the frame where ambient.",
    )
    life_s: float = Field(default=1.6, gt=0, le=20, description="How long one lives at most.")
    speed: float = Field(
        default=70.0, ge=0, le=400, description="First speed in % of the short side a second."
    )
    spread_deg: float = Field(
        default=70.0,
        ge=0,
        le=360,
        description="Angle into which they fly, around the way to where notes come from.",
    )
    gravity: float = Field(
        default=16.0,
        ge=-400,
        le=400,
        description="Fall in % of the short side per second squared: towards the keyboard where "
        "notes travel up or down, else down the frame. Negative: they rise.",
    )
    drag: float = Field(
        default=2.0, ge=0, le=20, description="How fast air slows them: part of the speed a second."
    )
    turbulence: float = Field(
        default=4.0, ge=0, le=100, description="How far eddies carry them, in % of the short side."
    )
    size: float = Field(
        default=0.34, gt=0, le=20, description="Radius of one in % of the short side."
    )
    size_spread: Fraction01 = Field(
        default=0.6, description="How much smaller the smallest are than the largest."
    )
    strength: float = Field(default=2.2, ge=0, le=16, description="Brightness at the start.")
    whiteness: Fraction01 = Field(
        default=0.25, description="How white the hottest are; 0 keeps the colour of the note."
    )
    twinkle: Fraction01 = Field(default=0.3, description="How much they flicker.")
    colour: Colour | None = Field(
        default=None, description="One colour for all; that of their note without it."
    )
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="Another number, other ways.")
