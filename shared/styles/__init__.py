"""The built-in styles: compositions that need only a song."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from shared.composition import Composition, parse_composition
from shared.errors import CompositionError

STYLES: Final = {
    "aurora": "Night sky, luminous notes, sparks at every strike.",
    "paper": "Flat ink on warm paper, for daylight and for print.",
    "neon": "Glowing outlines over black, one colour for each pitch class.",
    "ember": "Comets of fire that burst into glowing sparks, as if filmed at night.",
    "prism": "Cut gems on a curved keyboard that fans out beneath the stars.",
    "orbit": "The cover amid a nebula, with the sound as a ring of light around it.",
    "studio": "For learning: hands in two colours, note names, a score and chords.",
    "pulse": "Sideways and loud: neon, bass that shakes the light, an oscilloscope.",
    "vinyl": "A turning record in faded colours and film grain, for quiet evenings.",
    "noir": "Gold on black: columns of light over dark keys.",
}
"""What each style looks like, by its name; the first is the default."""

DEFAULT_STYLE: Final = "aurora"


@cache
def find_style(name: str) -> Composition:
    """The composition of a style.

    Raises:
        CompositionError: There is none of that name; the message lists those that exist.
    """
    if name not in STYLES:
        raise CompositionError(f"There is no style {name!r}; choose one of {', '.join(STYLES)}.")
    text = files("shared.styles").joinpath(f"{name}.json").read_text("utf-8")
    return parse_composition(text, name)


@cache
def thumbnail(name: str) -> bytes:
    """A small frame of a style, a JPEG that `make gallery` has drawn.

    Raises:
        CompositionError: There is no style of that name.
    """
    find_style(name)
    return files("shared.styles").joinpath("thumbnails", f"{name}.jpg").read_bytes()
