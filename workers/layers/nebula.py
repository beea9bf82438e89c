"""A nebula: clouds of glowing gas, drifting through each other, with dust before them."""

from __future__ import annotations

from typing import Final

import moderngl
import numpy as np

from shared.composition import SkyLayer
from shared.layout import Layout, Rect
from workers.blur import Light
from workers.gl.image import light_texture
from workers.gl.noise import even
from workers.gl.paintbox import Paintbox
from workers.gl.painter import REPLACE, QuadBrush
from workers.layers.glimmer import Glimmer, palette

_CELL: Final = (1 / 270, 1 / 270)
_TILE_PX: Final = 256
_TILE: Final = 3.0
"""Side of a tile of noise in short sides of the frame."""
_ROUGHNESS: Final = 1.75
"""Amplitude falls with this power of the frequency: what clouds look like."""
_WIDEST: Final = 2
"""Waves in a tile, at least."""
_CHANNELS: Final = 4

# How far the five layers of noise drift in a second, in their own tiles: too slow to be watched,
# but after a phrase the sky is another.
_DRIFTS: Final = (
    (0.0031, 0.0012),
    (-0.0022, 0.0017),
    (0.0038, -0.0021),
    (0.0015, 0.0026),
    (-0.0034, -0.0009),
    (0.0, 0.0),
)


class Nebula:
    """Clouds from one tile of noise that is read at several sizes."""

    def __init__(self, paintbox: Paintbox, layout: Layout, area: Rect, settings: SkyLayer) -> None:
        """Prepare the picture that they are drawn into."""
        self._glimmer = Glimmer(paintbox, layout, area, cell=_CELL, strength=settings.strength)
        seed = settings.seed
        self._tile: moderngl.Texture = paintbox.keep(
            ("nebula", seed), lambda: _tile(paintbox, seed)
        )
        # Another number, another part of the sky; the same at any size and length of the frame.
        self._start = even(seed, 2 * len(_DRIFTS)).reshape(-1, 2)
        across, down = self._glimmer.size
        tile_px = layout.short_side * settings.scale * _TILE
        self._brush = QuadBrush(
            paintbox,
            "nebula",
            {"box": 4},
            {
                "unit": (
                    (area.x1 - area.x0) / across / tile_px,
                    (area.y1 - area.y0) / down / tile_px,
                ),
                "colours": palette(settings.colours, np.array([0.0, 0.5, 1.0])).tolist(),
            },
        )
        self._brush.set(frame=self._glimmer.size)
        self._box = np.array([[0, 0, across, down]], dtype=np.float32)

    def paint(self, time_s: float) -> None:
        """Draw the clouds."""
        self._glimmer.show(lambda: self._clouds(time_s))

    def _clouds(self, time_s: float) -> None:
        # Whole tiles make no difference, but would use up the precision of the numbers.
        drifts = (self._start + np.array(_DRIFTS) * time_s) % 1.0
        self._brush.set(drifts=drifts.reshape(3, 4).tolist())
        self._tile.use(0)
        self._brush.draw(self._box, blend=REPLACE)


def _tile(paintbox: Paintbox, seed: int) -> moderngl.Texture:
    texture = light_texture(paintbox, _cloudy(seed))
    texture.repeat_x = texture.repeat_y = True
    return texture


def _cloudy(seed: int) -> Light:
    """Noise of every frequency that meets itself at the edges, (n, n, 4), about 0 to 1."""
    side = _TILE_PX
    down, across = np.fft.fftfreq(side, 1 / side), np.fft.rfftfreq(side, 1 / side)
    frequency = np.hypot(down[:, None], across)
    frequency[frequency < _WIDEST] = np.inf  # or else one corner would have all the clouds
    phase = even(seed, _CHANNELS, side, len(across)) * 2 * np.pi
    waves = frequency**-_ROUGHNESS * np.exp(1j * phase)
    fields = np.fft.irfft2(waves, s=(side, side))
    fields /= fields.std(axis=(1, 2), keepdims=True)
    # The last one lies folded along its zero line, which makes a web of ridges.
    fields[3] = 2.6 - 3.4 * np.abs(fields[3])
    return np.ascontiguousarray(np.moveaxis(0.5 + 0.19 * fields, 0, -1), dtype=np.float32)
