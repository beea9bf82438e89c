"""What lies behind: backgrounds, skies and images."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from shared.animation import Animated
from shared.colour import Colour
from shared.composition.base import Fraction01, Placed, Plain


class GradientStop(Plain):
    """A colour at a place along a gradient."""

    at: Fraction01 = Field(description="Place along the gradient, 0 to 1.")
    colour: Colour = Field(description="Colour there.")


class BackgroundLayer(Animated):
    """What lies behind everything: a colour, a gradient, an image or a video."""

    fixed: ClassVar[frozenset[str]] = frozenset({"video_start_s", "video_speed"})

    type: Literal["background"] = "background"
    colour: Colour = Field(default="#0b1020", description="Fill, and surround of a smaller image.")
    gradient: tuple[GradientStop, ...] = Field(
        default=(), max_length=8, description="Two or more stops in the order of their places."
    )
    gradient_angle_deg: float = Field(
        default=90.0, ge=-360, le=360, description="0 runs left to right, 90 top to bottom."
    )
    image: str | None = Field(
        default=None, description="An image: a file's path, or an asset id over HTTP."
    )
    video: str | None = Field(
        default=None,
        description="A video instead of an image: a file's path, or an asset id over HTTP.",
    )
    video_start_s: float = Field(
        default=0.0, ge=0, le=86400, description="Place in that video at which it begins."
    )
    video_speed: float = Field(
        default=1.0, gt=0, le=16, description="How fast it plays; 1 is as it was recorded."
    )
    video_loop: bool = Field(
        default=True, description="Whether it begins again at its end, or stands still there."
    )
    fit: Literal["cover", "contain", "stretch"] = Field(
        default="cover",
        description="How an image or video of another shape is fitted to the frame. `cover`: it "
        "fills the frame and is cut; `contain`: all of it is seen; `stretch`: it is distorted.",
    )
    zoom: float = Field(
        default=1.0, ge=0.1, le=10, description="How much larger an image is drawn than it fits."
    )
    pan_x: float = Field(
        default=0.0,
        ge=-1,
        le=1,
        description="Moves it, in widths of the frame to the right; what covers the frame only as "
        "far as it goes on doing so.",
    )
    pan_y: float = Field(
        default=0.0, ge=-1, le=1, description="Moves it, in heights of the frame downwards."
    )
    blur: float = Field(
        default=0.0, ge=0, le=20, description="Softens an image or video, in % of the short side."
    )
    dim: Fraction01 = Field(default=0.0, description="How much an image or video is darkened.")
    vignette: Fraction01 = Field(default=0.0, description="How much the corners are darkened.")

    @model_validator(mode="after")
    def _stops_in_order(self) -> BackgroundLayer:
        places = [stop.at for stop in self.gradient]
        if len(places) == 1 or places != sorted(places):
            raise ValueError("a gradient needs two or more stops in the order of their places")
        return self

    @model_validator(mode="after")
    def _one_picture(self) -> BackgroundLayer:
        if self.image is not None and self.video is not None:
            raise ValueError("give an image or a video, not both")
        return self


class SkyLayer(Animated):
    """A sky that moves slowly: northern lights, clouds of a nebula, or stars."""

    fixed: ClassVar[frozenset[str]] = frozenset({"speed", "seed"})

    type: Literal["sky"] = "sky"
    form: Literal["aurora", "nebula", "stars"] = Field(
        default="aurora", description="What is in the sky."
    )
    colours: tuple[Colour, ...] = Field(
        default=("#2ee6a8", "#3b82f6", "#a855f7"),
        min_length=1,
        max_length=4,
        description="Colours of its light, from below (or from within) outwards.",
    )
    strength: float = Field(default=0.6, ge=0, le=4, description="Brightness.")
    scale: float = Field(default=1.0, ge=0.1, le=10, description="Size of its shapes.")
    speed: float = Field(default=1.0, ge=0, le=20, description="How fast they move.")
    height: Fraction01 = Field(
        default=0.7, description="How much of the frame it fills, from the top."
    )
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="Another number, another sky.")


class ImageLayer(Placed):
    """A cover, a logo or any other image, which may pulse with the beat or turn."""

    type: Literal["image"] = "image"
    image: str | None = Field(
        default=None,
        description="A file's path, or an asset id over HTTP; `builtin:social-logo` and the "
        "like are logos of ours. Nothing is drawn without it.",
    )
    size: float = Field(
        default=30.0,
        gt=0,
        le=200,
        description="Its longer side in % of the frame's short side; of a circle its diameter.",
    )
    shape: Literal["whole", "rounded", "circle"] = Field(
        default="rounded",
        description="`whole`: as it is; `rounded`: with round corners; `circle`: its middle.",
    )
    rotation_deg: float = Field(
        default=0.0, ge=-1e6, le=1e6, description="How far it is turned, clockwise."
    )
    border: float = Field(
        default=0.0, ge=0, le=10, description="Width of its border in % of the short side."
    )
    border_colour: Colour = Field(default="#ffffff", description="Of the border.")
    shadow: Fraction01 = Field(default=0.5, description="Darkness of the shadow beneath it.")
    glow: float = Field(default=0.0, ge=0, le=4, description="Strength of the light around it.")
    glow_colour: Colour = Field(default="#ffffff", description="Of that light.")
