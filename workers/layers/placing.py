"""Where what has a place of its own lies in the frame."""

from __future__ import annotations

from shared.composition import Placed
from shared.layout import Layout, Rect


def area_of(layout: Layout, settings: Placed) -> Rect:
    """What something is placed in, in pixels: all of it free of what the platform covers."""
    return layout.open if settings.area == "roll" else layout.safe


def place(layout: Layout, settings: Placed, width: float, height: float) -> Rect:
    """Where something of a size lies, in pixels; edges are not rounded.

    As with CSS's background-position, the fraction is that of the room which is left: what is
    larger than its area has its left edge at the area's for 0 and its right edge for 1. It keeps
    the margin as far as there is room for it.

    Args:
        layout: Of the frame.
        settings: Say where.
        width: What is placed, in pixels.
        height: Of it.
    """
    area = area_of(layout, settings)
    margin = settings.margin / 100 * layout.short_side
    left = _start(area.x0, area.x1, width, settings.x, margin)
    top = _start(area.y0, area.y1, height, settings.y, margin)
    return Rect(left, top, left + width, top + height)


def _start(low: float, high: float, size: float, part: float, margin: float) -> float:
    room = high - low - size
    kept = min(margin, max(0.0, room / 2))
    return low + kept + part * (room - 2 * kept)
