"""Northern lights: folded curtains of rays, seen from below."""

from __future__ import annotations

from typing import Final

import moderngl
import numpy as np
from numpy.typing import NDArray

from shared.composition import SkyLayer
from shared.layout import Layout, Rect
from workers.gl.image import light_texture
from workers.gl.noise import even
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats, QuadBrush
from workers.layers.glimmer import Glimmer, palette

_CELL: Final = (1 / 360, 1 / 150)
"""Rays are thin and long."""
_OVERSCAN: Final = 0.16
_FAN: Final = 0.3
"""Rays come together overhead."""
_PROFILE_PX: Final = 128
_BELOW: Final = 0.14
"""Part of a ray's light that lies below its lower edge."""
_PERIOD: Final = 1024
"""Length after which the noise repeats, in its own steps."""
_DENSEST: Final = 5.0
"""A fold seen from its side is at most so many times as bright as the curtain from the front."""

# Per curtain, from the back: height of its lower edge in parts of the area (0 is the top), length
# of its rays likewise, brightness, and size of its folds.
_CURTAINS: Final = (
    (0.84, 0.48, 0.40, 0.7),
    (0.74, 0.66, 0.95, 1.0),
    (0.50, 0.62, 0.60, 1.35),
)

Numbers = NDArray[np.float64]


class Aurora:
    """Three curtains, each a line that winds above the horizon, from which rays rise."""

    def __init__(self, paintbox: Paintbox, layout: Layout, area: Rect, settings: SkyLayer) -> None:
        """Prepare the picture that they are drawn into."""
        self._glimmer = Glimmer(
            paintbox,
            layout,
            area,
            cell=_CELL,
            strength=settings.strength,
            overscan=_OVERSCAN,
            fan=_FAN,
        )
        self._seed = settings.seed
        # Sizes of the sky in its own unit, and pixels of the picture per unit.
        unit = layout.short_side * settings.scale
        width = (area.x1 - area.x0) * (1 + 2 * _OVERSCAN)
        self._wide = width / unit
        self._px = self._glimmer.size[0] / self._wide
        colours = settings.colours
        self._profile: moderngl.Texture = paintbox.keep(
            ("aurora", colours), lambda: light_texture(paintbox, _profile(colours))
        )
        self._tables = paintbox.keep(
            ("aurora", settings.seed), lambda: even(settings.seed, 8, _PERIOD)
        )
        self._brush = QuadBrush(
            paintbox, "curtain", {"box": 4, "edge": 4, "glow": 2}, {"below": _BELOW}
        )
        self._brush.set(frame=self._glimmer.size)

    def paint(self, time_s: float) -> None:
        """Draw the curtains."""
        self._glimmer.show(lambda: self._curtains(time_s))

    def _curtains(self, time_s: float) -> None:
        self._glimmer.clear()
        self._profile.use(0)
        rows = [self._curtain(index, time_s) for index in range(len(_CURTAINS))]
        self._brush.draw(np.concatenate(rows))

    def _curtain(self, index: int, time_s: float) -> Floats:
        """A curtain's strips, (n, 10)."""
        high = self._glimmer.size[1]
        height, length, brightness, fold = _CURTAINS[index]
        count = max(8, min(2400, round(self._wide * 280)))
        # Along the line, in units; it begins and ends out of sight.
        s = np.linspace(-0.4, self._wide + 0.4, count)
        own = 37.0 * index
        noise = self._noise
        # Wide bends that wander, and folds in them that open and close.
        sway = 0.30 * fold * (noise(0, s * 0.9 / fold + own + 0.031 * time_s) - 0.5)
        folds = 0.20 * fold * (noise(1, s * 3.1 / fold + own - 0.067 * time_s) - 0.5)
        depth = noise(2, s * 0.8 + own + 0.023 * time_s)
        x = (s + (sway + folds) * (0.4 + 1.2 * depth)) * self._px
        y = noise(3, s * 0.7 / fold + own - 0.027 * time_s) - 0.5
        y = y * 0.30 + 0.05 * (noise(1, s * 3.1 / fold + own + 7.3 - 0.067 * time_s) - 0.5)
        hem = (height + y) * high
        # Rays: fine ones that drift along the curtain, in groups that come and go.
        fine = noise(4, s * 62 + own - 0.55 * time_s) * noise(5, s * 37 + own + 0.42 * time_s)
        coarse = noise(6, s * 9.0 + own + 0.16 * time_s)
        here = noise(7, s * 0.8 + own + 0.041 * time_s)
        here = np.clip((here - 0.08) / 0.62, 0.0, 1.0)
        bright = brightness * here * (0.25 + 0.75 * coarse**2 + 2.6 * fine * (0.25 + coarse))
        long = length * high * (0.30 + 0.45 * coarse + 0.9 * fine * coarse + 0.2 * here)
        return _strips(x, hem, long, bright, (s[1] - s[0]) * self._px)

    def _noise(self, table: int, places: Numbers) -> Numbers:
        """Smooth noise along a line, 0 to 1."""
        whole = np.floor(places)
        part = places - whole
        part = part * part * (3 - 2 * part)
        values = self._tables[table]
        first = whole.astype(np.int64) % _PERIOD
        low, high = values[first], values[(first + 1) % _PERIOD]
        smooth: Numbers = low + (high - low) * part
        return smooth


def _strips(x: Numbers, hem: Numbers, long: Numbers, bright: Numbers, step_px: float) -> Floats:
    """The pieces between neighbouring places of a curtain."""
    rows = np.empty((len(x) - 1, 10), dtype=np.float32)
    back = x[1:] < x[:-1]

    def pair(values: Numbers) -> tuple[Numbers, Numbers]:
        return np.where(back, values[1:], values[:-1]), np.where(back, values[:-1], values[1:])

    left, right = pair(x)
    hems, longs, brights = pair(hem), pair(long), pair(bright)
    # A curtain seen from its side has more of itself in each pixel.
    dense = np.minimum(step_px / np.maximum(right - left, 1e-6), _DENSEST)
    most = np.maximum(*longs)
    rows[:, 0], rows[:, 2] = left, right
    rows[:, 1] = np.minimum(*hems) - most
    rows[:, 3] = np.maximum(*hems) + most * (_BELOW / (1 - _BELOW))
    rows[:, 4], rows[:, 5] = hems
    rows[:, 6], rows[:, 7] = longs
    rows[:, 8], rows[:, 9] = brights[0] * dense, brights[1] * dense
    return rows


def _profile(colours: tuple[str, ...]) -> Floats:
    """The light of a ray, (1, n, 3): sharp below, fading into the colours of great heights."""
    height = (np.arange(_PROFILE_PX) / (_PROFILE_PX - 1) - _BELOW) / (1 - _BELOW)
    below = _BELOW / (1 - _BELOW)
    rise = np.clip((height + below) / (below + 0.06), 0, 1)
    rise = rise**3 * (3 - 2 * rise)
    up = np.clip(height, 0, 1)
    fall = 0.82 * np.exp(-4.2 * up) + 0.18 * np.exp(-1.2 * up)
    ends = 1 - np.clip((up - 0.35) / 0.65, 0, 1) ** 1.5
    light = palette(colours, up**0.65) * (rise * fall * ends**2)[:, None]
    return light[None].astype(np.float32)
