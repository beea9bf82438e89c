"""Bar and beat lines, and the lanes between octaves."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import GridLayer
from workers.easing import RGBA
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats, clipped
from workers.layers.scene import Moment, Scene, set_boxes
from workers.text import TextSheet

_CLOSE_PX: Final = 3.0
"""Lines as close as this to the one before are left out; at twice as much they are whole."""


class Grid:
    """Lines where the song's own tempo and meter map puts them."""

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: GridLayer) -> None:
        """Compute every line of the song once."""
        layout = scene.layout
        self._context = paintbox.context
        self._layout = layout
        self.still = self.moving = layout.stage_area
        self._ahead_s = layout.seconds_ahead
        self._after_s = layout.seconds_after
        self._times, is_bar = scene.music.beats
        self._opacity = settings.opacity
        bar = np.array(self._colour(settings.bar_colour), dtype=np.float32)
        beat = np.array(self._colour(settings.beat_colour), dtype=np.float32)
        self._colours = np.where(is_bar[:, None], bar, beat).astype(np.float32)
        self._bar_number = np.where(is_bar, np.cumsum(is_bar), 0)
        room_px = self._room_px(is_bar)
        self._colours[:, 3] *= np.clip((room_px - _CLOSE_PX) / _CLOSE_PX, 0, 1)
        width = settings.width / 100 * layout.short_side
        self._half = np.where(is_bar, width, width * 0.7).astype(np.float32) / 2
        self._lines = scene.brush(
            paintbox, "rect", {"box": 4, "colour": 4}, area=layout.roll, strips=96
        )
        self._lanes = self._lane_lines(scene, settings, width)
        self._numbers: TextSheet | None = None
        if settings.bar_numbers:
            size_px = max(8.0, 0.022 * layout.short_side)
            self._numbers = paintbox.keep(
                ("bar numbers", size_px),
                lambda: TextSheet(paintbox, "0123456789", size_px=size_px),
            )
            self._bar_number[room_px < self._numbers.line_px] = 0
            red, green, blue, alpha = linear_rgba(settings.bar_colour)
            self._number_colour = (red, green, blue, min(1.0, alpha * 2) * settings.opacity)

    def _room_px(self, is_bar: NDArray[np.bool_]) -> Floats:
        """How far each line lies behind the one before it, bars behind bars, in pixels."""
        speed = abs(self._layout.travel_px_per_s)
        room = np.diff(self._times, prepend=-np.inf) * speed
        room[is_bar] = np.diff(self._times[is_bar], prepend=-np.inf) * speed
        return room.astype(np.float32)

    def _colour(self, colour: str) -> RGBA:
        red, green, blue, alpha = linear_rgba(colour)
        return red, green, blue, alpha * self._opacity

    def _lane_lines(self, scene: Scene, settings: GridLayer, width: float) -> Floats:
        """A line at the lower edge of each C and F, where two white keys meet."""
        layout = scene.layout
        rows = []
        for key in range(layout.keys.low + 1, layout.keys.high + 1):
            if key % 12 in (0, 5):
                low, high = layout.lane(key)
                at = low if layout.vertical else high
                roll = layout.roll
                time0, time1 = (roll.y0, roll.y1) if layout.vertical else (roll.x0, roll.x1)
                box = layout.box(at - width * 0.35, at + width * 0.35, time0, time1)
                colour = self._colour(settings.lane_colour)
                rows.append((box.x0, box.y0, box.x1, box.y1, *colour))
        return np.array(rows, dtype=np.float32).reshape(-1, 8)

    def draw_still(self) -> None:
        """Draw the lanes."""
        self._lines.draw(self._lanes)

    def draw(self, moment: Moment) -> None:
        """Draw the lines that are on screen."""
        first, last = np.searchsorted(
            self._times, (moment.song_s - self._after_s, moment.song_s + self._ahead_s)
        )
        layout = self._layout
        ahead_s = self._times[first:last] - moment.song_s
        at = (layout.hit_px - ahead_s * layout.travel_px_per_s).astype(np.float32)
        half = self._half[first:last]
        rows = np.empty((last - first, 8), dtype=np.float32)
        set_boxes(rows, layout, 0, layout.pitch_extent, at - half, at + half)
        rows[:, 4:] = self._colours[first:last]
        with clipped(self._context, layout.stage_area):
            self._lines.draw(rows)
            if self._numbers is not None:
                self._draw_numbers(self._numbers, self._bar_number[first:last], at)

    def _draw_numbers(self, sheet: TextSheet, numbers: np.ndarray, at: Floats) -> None:
        layout, safe = self._layout, self._layout.safe
        pad = 0.35 * sheet.line_px
        for number, place in zip(numbers, at, strict=True):
            if number:
                text = str(number)
                if layout.curve_px:
                    start = 0 if layout.vertical else layout.pitch_extent
                    x, y = layout.bent(start, float(place))
                    sheet.add(text, x + pad, y - sheet.line_px, self._number_colour)
                    continue
                if layout.vertical:
                    x, y = safe.x0 + pad, float(place) - pad * 0.4 - sheet.line_px
                else:
                    x, y = float(place) + pad, safe.y0 + pad
                sheet.add(text, x, y, self._number_colour)
        sheet.flush()
