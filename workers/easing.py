"""Ways from one thing to another: smooth steps, and colours in between."""

from __future__ import annotations

from typing import TypeAlias

RGBA: TypeAlias = tuple[float, float, float, float]
"""Red, green and blue, linear and not premultiplied, with an opacity; each 0 to 1."""


def eased(part: float) -> float:
    """The part of a way after a part of its time, slow at both ends; both 0 to 1."""
    x = min(max(part, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def faded(colour: RGBA, opacity: float) -> RGBA:
    """A colour that covers less."""
    red, green, blue, alpha = colour
    return red, green, blue, alpha * opacity


def mixed(one: RGBA, other: RGBA, part: float) -> RGBA:
    """The colour at a part of the way from one to another, 0 to 1."""
    red, green, blue, alpha = (a + (b - a) * part for a, b in zip(one, other, strict=True))
    return red, green, blue, alpha
