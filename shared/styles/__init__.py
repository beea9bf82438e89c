"""The built-in styles: compositions that need only a song."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from shared.composition import Composition, parse_composition
from shared.errors import CompositionError

STYLES: Final = {
    "aurora": "Night sky, luminous notes, a flash at every strike.",
    "paper": "Flat ink on warm paper, for daylight and for print.",
    "neon": "Glowing outlines over black, one colour for each pitch class.",
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
