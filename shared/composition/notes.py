"""The notes themselves: roll, keyboard and grid."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from shared.animation import Animated
from shared.colour import Colour
from shared.composition.base import Fraction01

NoteNames = Literal["letters", "octaves", "solfege", "german"]
"""How notes are called: C♯; C♯4; do♯; Cis."""
_MANNERS: Final = "`letters`: C♯; `octaves`: C♯4; `solfege`: do♯; `german`: Cis."


class GridLayer(Animated):
    """Bar and beat lines from the song's tempo and meter map, and lanes between octaves."""

    type: Literal["grid"] = "grid"
    bar_colour: Colour = Field(default="#ffffff24", description="Line at each bar.")
    beat_colour: Colour = Field(default="#ffffff0a", description="Line at each other beat.")
    lane_colour: Colour = Field(default="#ffffff08", description="Line along each C and F.")
    width: float = Field(
        default=0.16, gt=0, le=5, description="Width of a bar line in % of the short side."
    )
    opacity: Fraction01 = Field(default=1.0, description="Of all of it.")
    bar_numbers: bool = Field(default=True, description="Whether bars are numbered at the edge.")


class PianoRollLayer(Animated):
    """The notes, travelling to the line where they are struck."""

    type: Literal["piano_roll"] = "piano_roll"
    shape: Literal["bar", "gem", "comet", "bead"] = Field(
        default="bar",
        description="`bar`: rounded; `gem`: cut corners and facets; `comet`: a bright head with "
        "a tail as long as the note; `bead`: a ball on a thread. The heads of the last two wait on "
        "the line while the note sounds, where notes do not travel on behind it.",
    )
    corner_radius: float = Field(
        default=0.3,
        ge=0,
        le=0.5,
        description="Of a note's corners, round or cut, as a fraction of its width.",
    )
    gap: float = Field(
        default=0.08, ge=0, le=0.8, description="Space between lanes, as a fraction of a lane."
    )
    opacity: Fraction01 = Field(default=1.0, description="How far a note covers what is behind.")
    velocity_size: Fraction01 = Field(
        default=0.0, description="How much narrower the softest note is than the loudest."
    )
    glow: float = Field(
        default=0.8, ge=0, le=4, description="Strength of the light around a sounding note."
    )
    glow_radius: float = Field(
        default=2.2, ge=0, le=10, description="Reach of that light in % of the short side."
    )
    sheen: Fraction01 = Field(
        default=0.35, description="Strength of the highlight along a note's edge."
    )
    outline: bool = Field(default=False, description="Whether only the edge of a note is filled.")
    labels: Literal["none", "letters", "octaves", "solfege", "german"] = Field(
        default="none",
        description="What is written on notes that have room for it: nothing, or their names. "
        f"{_MANNERS}",
    )
    label_colour: Colour = Field(
        default="#ffffff", description="Of the names; they are dark where it could not be read."
    )
    percussion: Literal["auto", "show", "hide"] = Field(
        default="auto",
        description="Whether drum hits are drawn; `auto`: only where there is nothing else.",
    )


class KeyboardLayer(Animated):
    """The keys, lit while they sound."""

    type: Literal["keyboard"] = "keyboard"
    white_colour: Colour = Field(default="#f4f1ea", description="A white key at rest.")
    black_colour: Colour = Field(default="#17181d", description="A black key at rest.")
    line_colour: Colour = Field(default="#c8435a", description="The strip along the hit line.")
    length: float = Field(
        default=5.6, gt=0.5, le=12, description="Length of a white key in widths of a white key."
    )
    light: Fraction01 = Field(default=0.9, description="How far a pressed key takes its colour.")
    pressed_white: Colour | None = Field(
        default=None, description="Colour of a pressed white key; that of its note without it."
    )
    pressed_black: Colour | None = Field(
        default=None, description="Colour of a pressed black key; that of its note without it."
    )
    spill: Fraction01 = Field(
        default=0.25, description="How much light a pressed key throws on the keys around it."
    )
    labels: Literal["none", "octaves", "white", "all"] = Field(
        default="none", description="Keys that bear their names: none, each C, the white, all."
    )
    label_names: NoteNames = Field(
        default="octaves", description=f"How keys are called. {_MANNERS}"
    )
    pedal_light: bool = Field(
        default=False, description="Whether a light at the edge shows the sustain pedal."
    )
    pedal_colour: Colour = Field(default="#ffb86b", description="Of that light.")


class ScoreLayer(Animated):
    """Two staves with the notes as heads that carry their names, moving to a line that is now."""

    type: Literal["score"] = "score"
    position: Literal["top", "bottom"] = Field(
        default="top", description="At which edge of the roll it lies."
    )
    height: float = Field(
        default=30.0, gt=2, le=80, description="Height of both staves in % of the short side."
    )
    seconds: float = Field(
        default=6.0,
        gt=0.5,
        le=60,
        description="How much of the song is seen across a wide frame; less in square and "
        "upright ones.",
    )
    now: Fraction01 = Field(default=0.25, description="Where now is: 0 at the left edge.")
    names: Literal["none", "letters", "solfege", "german"] = Field(
        default="letters",
        description="What is written in the heads: nothing, or the names of notes.",
    )
    paper_colour: Colour = Field(default="#f8f3e8f2", description="What it is written on.")
    ink_colour: Colour = Field(default="#2b2a28", description="Of lines and of unlit heads.")
    opacity: Fraction01 = Field(default=1.0, description="Of all of it.")
