"""What is heard, made visible: waveforms and spectra of the recording."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from shared.colour import Colour
from shared.composition.base import Fraction01, Placed


class WaveformLayer(Placed):
    """The sound as a line: the wave of this moment, or the loudness of what was and will be."""

    type: Literal["waveform"] = "waveform"
    form: Literal["oscilloscope", "scroll", "whole"] = Field(
        default="oscilloscope",
        description="`oscilloscope`: the wave now; `scroll`: loudness that travels past the "
        "middle; `whole`: that of the whole song, with how far it has been played.",
    )
    width: Fraction01 = Field(default=0.9, description="Part of the area's width that it takes.")
    height: float = Field(
        default=14.0, gt=0, le=100, description="Its height in % of the short side."
    )
    seconds: float = Field(
        default=0.04,
        gt=0.001,
        le=60,
        description="How much sound is seen: of the oscilloscope some hundredths of a second, of "
        "`scroll` some seconds; `whole` shows all of it.",
    )
    thickness: float = Field(
        default=0.35, gt=0, le=5, description="Of the line in % of the short side."
    )
    gain: float = Field(
        default=1.0,
        ge=0,
        le=20,
        description="How much larger it is drawn; at 1 the loudest places fill the height.",
    )
    bar: float = Field(
        default=0.8,
        ge=0.1,
        le=20,
        description="Distance of the bars of `scroll` and `whole` in % of the short side.",
    )
    gap: float = Field(default=0.4, ge=0, le=0.95, description="Part of a bar that is left free.")
    colour: Colour = Field(default="#8be9fd", description="Of the line, and of what was played.")
    rest_colour: Colour = Field(
        default="#ffffff30", description="Of what will be played, in the other two forms."
    )
    glow: float = Field(default=0.6, ge=0, le=4, description="Strength of the light around it.")


class SpectrumLayer(Placed):
    """How strong the low, middle and high parts of the sound are now."""

    type: Literal["spectrum"] = "spectrum"
    form: Literal["bars", "mirrored", "line", "dots", "circle"] = Field(
        default="bars",
        description="`bars`: stand on a line; `mirrored`: grow from a line both ways; `line`: a "
        "curve over a filled area; `dots`: stacks of lights; `circle`: bars around a circle.",
    )
    bars: int = Field(default=48, ge=4, le=256, description="How many bars there are.")
    from_hz: float = Field(default=40.0, ge=20, le=20000, description="Lowest frequency shown.")
    to_hz: float = Field(default=14000.0, ge=20, le=20000, description="Highest frequency shown.")
    width: Fraction01 = Field(default=0.9, description="Part of the area's width that it takes.")
    margin: float = Field(
        default=0.0,
        ge=0,
        le=50,
        description="Distance kept from the edges of the area in % of the short side: bars stand "
        "on its lower edge without one.",
    )
    height: float = Field(
        default=22.0, gt=0, le=100, description="Height of a full bar in % of the short side."
    )
    radius: float = Field(
        default=20.0, gt=0, le=100, description="Of the circle, in % of the short side."
    )
    rotation_deg: float = Field(
        default=0.0, ge=-1e6, le=1e6, description="How far the circle is turned, clockwise."
    )
    gap: float = Field(default=0.35, ge=0, le=0.95, description="Part of a bar that is left free.")
    gain: float = Field(default=1.0, ge=0, le=20, description="How much taller bars are drawn.")
    smooth: Fraction01 = Field(default=0.7, description="How slowly bars fall: 0 at once.")
    rounded: bool = Field(default=True, description="Whether bars and lights have round ends.")
    symmetric: bool = Field(
        default=False,
        description="Whether low parts are in the middle and high ones outside; a circle then has "
        "low ones at the top and looks the same left and right.",
    )
    peaks: bool = Field(
        default=False,
        description="Whether a cap stays for a while where a bar has been; not of a line.",
    )
    colours: tuple[Colour, ...] = Field(
        default=("#35c6f4", "#a684ff", "#ff6fae"),
        min_length=1,
        max_length=16,
        description="Blended from the lowest to the highest bar.",
    )
    glow: float = Field(default=0.5, ge=0, le=4, description="Strength of the light around bars.")

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.to_hz <= self.from_hz:
            raise ValueError(
                f"to_hz ({self.to_hz:g}) must be higher than from_hz ({self.from_hz:g}), "
                "as 40 and 14000 are"
            )
        return self
