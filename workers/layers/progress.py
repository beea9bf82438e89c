"""How much of the song has been played: a bar or a ring."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from shared.colour import linear_rgba
from shared.composition import ProgressLayer
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.placing import area_of, place
from workers.layers.scene import Floats, Moment, Scene

_KNOB: Final = 2.6
"""Diameter of the knob beside the thickness of the line."""
_PIECES: Final = 64
"""Of a ring: short enough to cover little beside it."""


class Progress:
    """A line, of which the played part has another colour."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: ProgressLayer) -> None:
        """Find its place."""
        layout = scene.layout
        area = area_of(layout, settings)
        thick = settings.thickness / 100 * layout.short_side
        knob = thick * _KNOB if settings.knob else thick
        self._end_s = max(scene.song.end_s, 1e-6)
        self._settings, self._thick, self._knob = settings, thick, knob
        colours = {
            "done": linear_rgba(settings.colour),
            "rest": linear_rgba(settings.rest_colour),
            "opacity": settings.opacity,
        }
        self._ring: QuadBrush | None = None
        if settings.form == "ring":
            size = 2 * settings.radius / 100 * layout.short_side
            box = place(layout, settings, size, size)
            self._radius = max(0.0, (size - knob) / 2)
            self._middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
            self._ring = QuadBrush(
                paintbox,
                "ring",
                {"box": 4},
                {
                    "middle": self._middle,
                    "radius": self._radius,
                    "half_width": thick / 2,
                    "now": 0.0,
                    **colours,
                },
            )
            self._rows = _pieces(self._radius, thick / 2)
        else:
            box = place(layout, settings, settings.width * (area.x1 - area.x0), knob)
            middle = (box.y0 + box.y1) / 2
            # The knob stays between the ends.
            inset = min(knob / 2, (box.x1 - box.x0) / 2) if settings.knob else 0.0
            self._from, self._to = box.x0 + inset, box.x1 - inset
            self._y = middle
            self._rows = np.array(
                [[self._from, middle - thick / 2, self._to, middle + thick / 2]], dtype=np.float32
            )
        self._line = QuadBrush(
            paintbox,
            "played",
            {"box": 4},
            {
                "now_px": 0.0,
                "warm_px": 1.0,
                "heat": 0.0,
                "halo": 1.0,
                "strength": 0.0,
                "ends": (0.0, 0.0, 0.0),
                **colours,
            },
        )
        # A tiny one is still as thick as its line.
        reach = 1 + max(thick, knob) / 2
        self.moving = Rect(box.x0 - reach, box.y0 - reach, box.x1 + reach, box.y1 + reach)

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw how far it is."""
        played = min(max(moment.song_s / self._end_s, 0.0), 1.0)
        if self._ring is not None:
            self._ring.set(now=played)
            self._ring.draw(self._rows)
            angle = 2 * math.pi * played
            x = self._middle[0] + self._radius * math.sin(angle)
            y = self._middle[1] - self._radius * math.cos(angle)
        else:
            x, y = self._from + played * (self._to - self._from), self._y
            # At 0 not even the edge of a pixel is played.
            self._line.set(now_px=x if played > 0 else x - 1)
            self._line.draw(self._rows)
        if self._settings.knob:
            half = self._knob / 2
            self._line.set(now_px=x + half + 1)
            self._line.draw(np.array([[x - half, y - half, x + half, y + half]], np.float32))


def _pieces(radius: float, half_width: float) -> Floats:
    """A ring in pieces, as angles and radii: float32 (_PIECES, 4)."""
    angles = np.linspace(0, 2 * math.pi, _PIECES + 1)
    # Between two corners a straight edge comes nearer to the middle than an arc.
    flat = math.cos(math.pi / _PIECES)
    rows = np.empty((_PIECES, 4), dtype=np.float32)
    rows[:, 0], rows[:, 2] = angles[:-1], angles[1:]
    rows[:, 1] = max(0.0, radius - half_width - 1)
    rows[:, 3] = (radius + half_width + 1) / flat
    return rows
