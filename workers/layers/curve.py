"""A line through many points with light around it: of an oscilloscope, of a spectrum."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.scene import Floats

_BESIDE: Final = 5
"""Points beside each piece of the line that its pixels look at, as the shader has it."""
_PITCH: Final = 0.2
"""Distance of points in % of the short side: no corner is seen."""
_LEAST_PITCH_PX: Final = 1.5
_HALO: Final = 3.0
"""Reach of the light in % of the short side."""


class Curve:
    """A line that rises and falls from left to right, of the same thickness everywhere."""

    def __init__(
        self,
        paintbox: Paintbox,
        *,
        short_px: int,
        thickness: float,
        glow: float,
        opacity: float,
        ends: tuple[float, float, float],
        fill: tuple[float, float, float] | None = None,
    ) -> None:
        """Prepare the brushes.

        Args:
            paintbox: What to draw with.
            short_px: Short side of the frame.
            thickness: Of the line in % of it.
            glow: Strength of the light around it.
            opacity: 0 to 1.
            ends: x of both ends, and over how many pixels it fades out towards them.
            fill: What is filled between the line and a base beneath it: y of its upper end and of
                the base, and how much is covered at the upper end; nothing without it.
        """
        half_px = thickness / 200 * short_px
        halo_px = max(1.0, _HALO / 100 * short_px) if glow > 0 else 0.0
        self._body_px, self._light_px = half_px + 1, half_px + halo_px + 1
        self._pitch_px = max(_LEAST_PITCH_PX, _PITCH / 100 * short_px, self._body_px / _BESIDE)
        uniforms = {
            "pitch": self._pitch_px,
            "half_width": half_px,
            "halo": max(1.0, halo_px),
            "strength": 0.5 * glow,
            "opacity": opacity,
            "ends": (ends[0], ends[1], max(ends[2], 1.0)),
        }
        attributes = {"box": 4, "lefts": 4, "middles": 4, "rights": 4, "colour": 4}
        self._line = QuadBrush(paintbox, "curve", attributes, uniforms)
        self._base = 0.0
        self._under: QuadBrush | None = None
        if fill is not None:
            upper, self._base, dense = fill
            self._under = QuadBrush(
                paintbox,
                "under",
                {"box": 4, "heights": 2, "colour": 3},
                uniforms | {"upper": upper, "dense": dense},
            )
        self._light = QuadBrush(paintbox, "curve", attributes, uniforms, options=["GLOW"])
        self._glows = glow > 0

    @property
    def reach_px(self) -> float:
        """How far from its points it may be seen."""
        return self._light_px

    def points(self, width_px: float) -> int:
        """How many points are needed for a line of a width, its ends included."""
        return max(2, int(width_px / self._pitch_px) + 1)

    def draw(
        self,
        left: float,
        heights: Floats,
        colours: ArrayLike,
        light: ArrayLike,
        *,
        pitch_px: float,
    ) -> None:
        """Draw a line.

        Args:
            left: x of the first point.
            heights: y of each point, (n,).
            colours: Linear red, green and blue of them, (n, 3), or one for all.
            light: How brightly each shines, (n,), or all of them.
            pitch_px: Distance of points along x, not less than what ``points`` counts with.
        """
        colours = np.broadcast_to(np.asarray(colours, np.float32), (len(heights), 3))
        light = np.broadcast_to(np.asarray(light, np.float32), len(heights))
        if self._glows:
            # Light reaches farther, and needs no points so close to each other.
            every = max(1, math.ceil(self._light_px / _BESIDE / pitch_px))
            few = np.unique(np.append(np.arange(0, len(heights), every), len(heights) - 1))
            # The last piece is as long as the others; what is beyond the end is not seen.
            self._light.set(pitch=pitch_px * every)
            self._light.draw(
                _pieces(
                    left, heights[few], colours[few], light[few], pitch_px * every, self._light_px
                )
            )
        rows = _pieces(left, heights, colours, light, pitch_px, self._body_px)
        if self._under is not None:
            under = np.empty((len(rows), 9), dtype=np.float32)
            under[:, [0, 2]] = rows[:, [0, 2]]
            under[:, 1] = np.minimum(heights[:-1], heights[1:]) - 1
            under[:, 3] = self._base
            under[:, 4], under[:, 5], under[:, 6:9] = heights[:-1], heights[1:], colours[:-1]
            self._under.draw(under)
        self._line.set(pitch=pitch_px)
        self._line.draw(rows)


def _pieces(
    left: float, heights: Floats, colours: Floats, light: Floats, pitch_px: float, reach_px: float
) -> Floats:
    """What the shader is told of each piece between two points."""
    count = len(heights) - 1
    # It goes on level beyond its ends.
    padded = np.pad(np.asarray(heights, np.float32), _BESIDE, mode="edge")
    near = sliding_window_view(padded, 2 * _BESIDE + 2)
    rows = np.empty((count, 20), dtype=np.float32)
    rows[:, 0] = left + pitch_px * np.arange(count)
    rows[:, 2] = left + pitch_px * np.arange(1, count + 1)
    rows[:, 1] = near.min(axis=1) - reach_px
    rows[:, 3] = near.max(axis=1) + reach_px
    rows[:, 4:16] = near
    rows[:, 16:19], rows[:, 19] = colours[:-1], light[:-1]
    return rows
