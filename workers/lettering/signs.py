"""Signs of music that text fonts lack, drawn as shapes: accidentals and clefs.

Shapes are given in units of their own with y upwards, and painted many times as large as they
are needed, so that they come out smooth at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

Points = NDArray[np.float64]
Polygon = tuple[tuple[float, float], ...]

SIGNS: Final = "♯♭♮"
"""Accidentals that are drawn here where a font has none."""
_FINER: Final = 8
"""Points in a pixel along either axis while a shape is painted."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A shape, filled with strokes of changing width and with polygons."""

    advance: float
    """How far the pen moves on."""
    polygons: tuple[Polygon, ...] = ()
    """Closed, x and y."""
    strokes: tuple[tuple[tuple[float, float, float], ...], ...] = ()
    """Curves through points: x, y and how wide the pen is there."""


def _beam(left: float, right: float, middle: float, rise: float, thick: float) -> Polygon:
    """A slanting beam."""
    low, high = middle - rise / 2 - thick / 2, middle + rise / 2 - thick / 2
    return ((left, low), (right, high), (right, high + thick), (left, low + thick))


def _stem(x: float, low: float, high: float, thick: float) -> Polygon:
    left, right = x - thick / 2, x + thick / 2
    return ((left, low), (right, low), (right, high), (left, high))


# Accidentals: units of the font's size from its baseline, beside capitals 0.73 high.
_SHARP: Final = Shape(
    advance=0.50,
    polygons=(
        _stem(0.175, -0.08, 0.77, 0.070),
        _stem(0.325, -0.03, 0.82, 0.070),
        _beam(0.045, 0.455, 0.515, 0.10, 0.125),
        _beam(0.045, 0.455, 0.235, 0.10, 0.125),
    ),
)
_NATURAL: Final = Shape(
    advance=0.44,
    polygons=(
        _stem(0.11, 0.12, 0.84, 0.070),
        _stem(0.33, -0.09, 0.63, 0.070),
        _beam(0.076, 0.364, 0.515, 0.07, 0.125),
        _beam(0.076, 0.364, 0.235, 0.07, 0.125),
    ),
)
_FLAT: Final = Shape(
    advance=0.46,
    polygons=(_stem(0.105, -0.01, 0.84, 0.070),),
    strokes=(
        (
            (0.11, 0.36, 0.07),
            (0.19, 0.43, 0.10),
            (0.29, 0.44, 0.135),
            (0.345, 0.36, 0.14),
            (0.3, 0.22, 0.115),
            (0.21, 0.10, 0.085),
            (0.105, 0.02, 0.06),
        ),
    ),
)

# Clefs: units of a staff's spaces from the line that they name.
_TREBLE: Final = Shape(
    advance=2.6,
    strokes=(
        (
            (0.44, -0.30, 0.05),
            (0.16, -0.02, 0.13),
            (0.24, 0.44, 0.19),
            (0.72, 0.66, 0.24),
            (1.20, 0.32, 0.30),
            (1.24, -0.38, 0.31),
            (0.80, -0.92, 0.22),
            (0.12, -0.98, 0.17),
            (-0.52, -0.62, 0.22),
            (-0.84, 0.08, 0.32),
            (-0.74, 0.86, 0.40),
            (-0.26, 1.58, 0.40),
            (0.36, 2.22, 0.36),
            (0.84, 2.92, 0.33),
            (0.96, 3.60, 0.26),
            (0.82, 4.16, 0.13),
            (0.60, 4.32, 0.06),
            (0.34, 3.98, 0.13),
            (0.20, 3.30, 0.17),
            (0.26, 2.40, 0.17),
            (0.44, 1.20, 0.15),
            (0.64, -0.10, 0.14),
            (0.82, -1.20, 0.14),
            (0.88, -1.90, 0.14),
            (0.70, -2.42, 0.14),
            (0.26, -2.62, 0.13),
            (-0.18, -2.44, 0.12),
            (-0.34, -2.12, 0.12),
        ),
        ((-0.06, -2.02, 0.58), (-0.05, -2.02, 0.58)),
    ),
)
_BASS: Final = Shape(
    advance=2.8,
    strokes=(
        ((-0.52, -0.02, 0.60), (-0.51, -0.02, 0.60)),
        (
            (-0.78, 0.02, 0.10),
            (-0.70, 0.46, 0.12),
            (-0.34, 0.86, 0.15),
            (0.22, 0.98, 0.22),
            (0.76, 0.66, 0.40),
            (0.94, 0.00, 0.50),
            (0.78, -0.78, 0.42),
            (0.30, -1.54, 0.27),
            (-0.36, -2.12, 0.14),
            (-0.88, -2.44, 0.05),
        ),
        ((1.60, 0.50, 0.40), (1.61, 0.50, 0.40)),
        ((1.60, -0.50, 0.40), (1.61, -0.50, 0.40)),
    ),
)
_SHAPES: Final = {"♯": _SHARP, "♭": _FLAT, "♮": _NATURAL, "𝄞": _TREBLE, "𝄢": _BASS}


def advance(sign: str, unit_px: float) -> float:
    """How wide a sign is in pixels, where its unit is so large."""
    return _SHAPES[sign].advance * unit_px


def paint_sign(mask: Image.Image, sign: str, x: float, y: float, unit_px: float) -> None:
    """Paint a sign into a mask, over what is there.

    Args:
        mask: In L.
        sign: One of SIGNS, or a clef: 𝄞, 𝄢.
        x: Where its origin comes to lie in pixels.
        y: The same downwards: its baseline, or the line that a clef names.
        unit_px: The size of the font, or a space of the staff.
    """
    shape = _SHAPES[sign]
    polygons = [np.array(polygon) for polygon in shape.polygons]
    discs = [_curve(stroke) for stroke in shape.strokes]
    every = [*polygons, *(disc[:, :2] - disc[:, 2:] for disc in discs)]
    every += [disc[:, :2] + disc[:, 2:] for disc in discs]
    corners = np.concatenate(every)
    low, high = corners.min(axis=0), corners.max(axis=0)
    left, top = int(x + low[0] * unit_px) - 1, int(y - high[1] * unit_px) - 1
    wide = int((high[0] - low[0]) * unit_px) + 4
    tall = int((high[1] - low[1]) * unit_px) + 4
    large = Image.new("L", (wide * _FINER, tall * _FINER))
    pen = ImageDraw.Draw(large)

    def on_paper(points: Points) -> Points:
        placed = (points * (unit_px, -unit_px) + (x - left, y - top)) * _FINER
        return np.asarray(placed - 0.5)

    for polygon in polygons:
        pen.polygon([(float(px), float(py)) for px, py in on_paper(polygon)], fill=255)
    for disc in discs:
        radii = disc[:, 2] / 2 * unit_px * _FINER
        for (px, py), radius in zip(on_paper(disc[:, :2]), radii, strict=True):
            pen.ellipse((px - radius, py - radius, px + radius, py + radius), fill=255)
    small = large.reduce(_FINER)
    whole = Image.new("L", mask.size)
    whole.paste(small, (left, top))
    mask.paste(ImageChops.lighter(mask, whole))


@cache
def _curve(stroke: Sequence[tuple[float, float, float]]) -> Points:
    """Points close to each other on a smooth curve (Catmull-Rom) through some, with widths."""
    points = np.array(stroke)
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    pieces = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        count = max(2, int(np.hypot(*(c - b)[:2]) * 80))
        t = np.linspace(0, 1, count, endpoint=False)[:, None]
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    return np.concatenate([*pieces, points[-1:]])
