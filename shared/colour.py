"""Colours as people write them, and the linear light that drawing computes with."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_HEX: Final = re.compile(r"#([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")


def _check(text: str) -> str:
    if not _HEX.fullmatch(text):
        raise ValueError(f"{text!r} is no colour; write it as #rrggbb or #rrggbbaa")
    return text.lower()


Colour = Annotated[str, AfterValidator(_check)]
"""A colour as a pydantic field: ``#rrggbb`` or ``#rrggbbaa``, sRGB."""


def to_linear(value: float) -> float:
    """Linear light of one sRGB component, both 0 to 1 (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def from_linear(value: float) -> float:
    """The sRGB component of linear light, both 0 to 1 (IEC 61966-2-1)."""
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def linear_rgba(colour: str) -> tuple[float, float, float, float]:
    """A colour as linear red, green and blue with its opacity, each 0 to 1, not premultiplied."""
    red, green, blue, *alpha = (value / 255 for value in bytes.fromhex(colour[1:]))
    return to_linear(red), to_linear(green), to_linear(blue), alpha[0] if alpha else 1.0
