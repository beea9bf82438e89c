"""Stars: points of light at all distances, which twinkle and drift."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.composition import SkyLayer
from shared.layout import Layout, Rect
from workers.gl.noise import even
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats, QuadBrush
from workers.layers.glimmer import fading, palette

_MOST: Final = 6000
_PER_SQUARE: Final = 1700
"""Stars in a square of the short side."""
_FEW: Final = 0.15
"""Part of them that shines through a nebula."""
_IN_BAND: Final = 0.55
"""Part of them that belongs to the band of the galaxy."""
_BAND_WIDTH: Final = 0.13
"""Of that band, in heights of the sky."""
_LEAST_SIGMA_PX: Final = 0.62
"""A finer point would flicker as it moves from one pixel to the next."""
_POINT: Final = 1 / 1350
"""Radius of a faint star's point in short sides."""
_DRIFT: Final = 0.0028
"""How far the nearest stars move in a second, in widths of the sky."""
_MARGIN: Final = 0.04
"""Stars come and go this far beyond the edges, in widths of the sky."""
_BRIGHT: Final = 0.55
"""From here on a star has a halo."""

# Linear colours of stars from warm to cold: about 4000, 6000 and 10,000 K.
_WARMTH: Final = ((1.0, 0.72, 0.46), (1.0, 0.95, 0.9), (0.72, 0.83, 1.0))

Numbers = NDArray[np.float64]


class Stars:
    """A field of stars."""

    def __init__(
        self,
        paintbox: Paintbox,
        layout: Layout,
        area: Rect,
        settings: SkyLayer,
        *,
        few: bool = False,
    ) -> None:
        """Take those that the area has room for.

        Args:
            paintbox: What to draw with.
            layout: Of the frame.
            area: What the sky fills, in pixels.
            settings: What they look like.
            few: Whether other things are to be seen among them.
        """
        short = layout.short_side
        self._area = area
        self._settings = settings
        self._fade = fading(area, layout)
        point_px = _POINT * short * settings.scale**0.5
        self._sigma_px = max(_LEAST_SIGMA_PX, point_px)
        # What is drawn larger than it is shines no more for it: small frames look as large ones.
        self._dimmed = (point_px / self._sigma_px) ** 2
        squares = (area.x1 - area.x0) * (area.y1 - area.y0) / short**2
        count = squares * _PER_SQUARE / settings.scale * (_FEW if few else 1.0)
        self._count = max(1, min(_MOST, round(count)))
        colours, seed = settings.colours, settings.seed
        self._field = paintbox.keep(("stars", seed, colours), lambda: _field(seed, colours))
        attributes = {"box": 4, "colour": 3, "shape": 2}
        self._faint = QuadBrush(paintbox, "star", attributes)
        self._bright = QuadBrush(paintbox, "star", attributes, options=["BRIGHT"])

    def paint(self, time_s: float) -> None:
        """Draw them."""
        place, colours = (part[: self._count] for part in self._field)
        area, bright = self._area, place[:, 2]
        # Bright stars are near: they pass the others.
        near = 0.25 + 0.75 * place[:, 3]
        across = (place[:, 0] + _DRIFT * near * time_s) % 1.0
        x = area.x0 + (across * (1 + 2 * _MARGIN) - _MARGIN) * (area.x1 - area.x0)
        y = area.y0 + place[:, 1] * (area.y1 - area.y0)
        start, end = self._fade
        sigma = self._sigma_px * (1 + 1.1 * bright**2)
        halo = np.clip((bright - _BRIGHT) / (1 - _BRIGHT), 0, 1)
        reach = sigma * (2.6 + 13 * halo)
        shine = self._settings.strength * np.clip((end - reach - y) / (end - start), 0, 1) ** 1.5
        shine = shine * self._dimmed * (0.10 + 0.5 * bright + 2.2 * bright**3)
        # Two waves that never meet in the same way: air, not a lamp.
        phase = 2 * np.pi * (place[:, 4:6] + (0.13 + 0.45 * place[:, 6:8]) * time_s)
        shine = shine * (1 + 0.38 * np.sin(phase[:, 0]) * np.cos(phase[:, 1]))
        rows = np.empty((self._count, 9), dtype=np.float32)
        rows[:, 0], rows[:, 1] = x - reach, y - reach
        rows[:, 2], rows[:, 3] = x + reach, y + reach
        rows[:, 4:7] = colours * shine[:, None]
        rows[:, 7], rows[:, 8] = sigma, halo
        self._faint.draw(rows[halo == 0])
        self._bright.draw(rows[halo > 0])


def _field(seed: int, colours: tuple[str, ...]) -> tuple[Numbers, Floats]:
    """All stars: eight numbers of chance each, 0 to 1, and their colours, linear.

    The numbers are place across and down, brightness, nearness, two phases and two tempos.
    """
    chance = even(seed, _MOST, 12)
    place = chance[:, :8].copy()
    # Many are faint, few are bright.
    place[:, 2] = place[:, 2] ** 7
    place[:, 3] = np.maximum(place[:, 2], place[:, 3] ** 3 * 0.6)
    # The galaxy is a winding band from the lower left; it is faint, since it is far away.
    banded = chance[:, 8] < _IN_BAND
    bell = (chance[:, 9] + chance[:, 10] + chance[:, 1]) * 2 / 3 - 1  # nearly a Gaussian
    winding = 0.72 - 0.55 * place[:, 0] + 0.05 * np.sin(place[:, 0] * 9)
    place[banded, 1] = (winding + bell * 2 * _BAND_WIDTH)[banded]
    place[banded, 2] *= 0.4
    place[banded, 3] *= 0.2
    temperature = np.linspace(0, 1, len(_WARMTH))
    white = np.stack(
        [np.interp(chance[:, 11], temperature, channel) for channel in np.transpose(_WARMTH)], -1
    )
    tint = palette(colours, chance[:, 6])
    tint /= np.maximum(tint.max(axis=1, keepdims=True), 1e-6)
    return place, (white * (1 - 0.3 * (1 - tint))).astype(np.float32)
