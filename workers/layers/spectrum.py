"""The spectrum: how strong the low, middle and high parts of the sound are now."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Final

import numpy as np

from shared.colour import linear_rgba
from shared.composition import SpectrumLayer
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.hearing import BAND_HZ, N_BANDS
from workers.layers.curve import Curve
from workers.layers.placing import area_of, place
from workers.layers.scene import Floats, Moment, Scene, blended

_LEAST_PITCH_PX: Final = 3.0
"""Bars do not stand closer; a small frame has fewer of them."""
_LEAST: Final = 0.4
"""Height of a bar in silence, in % of the short side: a delicate line."""
_HALO: Final = 3.0
"""Reach of the light around bars in % of the short side; less where they stand close."""
_CONTRAST: Final = 1.5
"""Exponent of levels: 70 dB of them stand close together, and a loud one should tower."""
_PEAKED: Final = 3.0
"""Exponent of the mean that a bar is of its bands: a tone in one of them is still a peak."""
_HOLD_S: Final = 0.25
"""A cap stays for so long,"""
_FALL_PER_S2: Final = 3.0
"""and then falls like a stone: half of this times the square of the seconds."""
_CAP_S: Final = 1.1
"""After this it has fallen from the top."""
_LINE: Final = 0.4
"""Thickness of the line in % of the short side."""


class Spectrum:
    """Bars, lights or a curve that follow the bands of what is heard."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: SpectrumLayer) -> None:
        """Prepare bars and brushes."""
        layout = scene.layout
        self._scene, self._settings = scene, settings
        self._short = short = layout.short_side
        area = area_of(layout, settings)
        self._height = height = settings.height / 100 * short
        self._round = settings.form == "circle"
        self._radius = settings.radius / 100 * short
        width = max(1.0, settings.width * (area.x1 - area.x0))
        if self._round:
            size = 2 * (self._radius + height)
            self._box = place(layout, settings, size, size)
            along = 2 * math.pi * self._radius
        else:
            self._box = place(layout, settings, width, height)
            along = width
        bars = max(4, min(round(settings.bars), int(along / _LEAST_PITCH_PX)))
        self._pitch = along / bars
        self._halo = max(1.0, min(_HALO, max(1.2, 250 * self._pitch / short)) / 100 * short)
        box = self._box
        self._curve: Curve | None = None
        if settings.form == "line":
            self._curve = Curve(
                paintbox,
                short_px=short,
                thickness=_LINE,
                glow=settings.glow,
                opacity=settings.opacity,
                ends=(box.x0, box.x1, 0.05 * width),
                fill=(box.y0, box.y1, 0.55),
            )
            points, reach = self._curve.points(width), self._curve.reach_px
        else:
            points, reach = bars, self._halo + 2
            self._make_brushes(paintbox)
        self.moving = Rect(box.x0 - reach, box.y0 - reach, box.x1 + reach, box.y1 + reach)
        heard = (settings.from_hz, settings.to_hz, settings.symmetric)
        facts: Hashable = (points, bars, self._round, heard)
        self._shares = paintbox.keep(
            ("shares of bands", facts),
            lambda: shares_of_bands(
                places_of(points, symmetric=settings.symmetric, around=self._round),
                settings.from_hz,
                settings.to_hz,
                1 / bars,
            ),
        )
        self._colours = paintbox.keep(
            ("colours of bars", facts, settings.colours), lambda: self._blend(points)
        )

    def _blend(self, points: int) -> Floats:
        """Linear colours of the bars, (points, 3)."""
        settings = self._settings
        where = places_of(points, symmetric=settings.symmetric, around=self._round)
        stops = np.array([linear_rgba(colour)[:3] for colour in settings.colours])
        return blended(stops, where)

    def _make_brushes(self, paintbox: Paintbox) -> None:
        settings, box = self._settings, self._box
        turned = ["TURNED"] if self._round else []
        attributes = {"box": 4, "colour": 3, "level": 1} | ({"outwards": 2} if turned else {})
        # Where bars are narrow the light of several adds up.
        strength = settings.glow * min(1.0, 1.4 * self._pitch / self._halo)
        uniforms = {
            "round_ends": float(settings.rounded),
            "mirrored": float(settings.form == "mirrored"),
            "halo": self._halo,
            "strength": (0.3 if settings.form == "dots" else 0.55) * strength,
            "opacity": settings.opacity,
            "middle": ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2),
        }
        self._light = QuadBrush(paintbox, "meter", attributes, uniforms, options=["GLOW", *turned])
        if settings.form == "dots":
            self._bars = QuadBrush(
                paintbox,
                "leds",
                {"box": 4, "colour": 3, "level": 1, "peak": 1},
                {
                    "rows": float(self._rows),
                    "gap": settings.gap,
                    "round_ends": float(settings.rounded),
                    "opacity": settings.opacity,
                },
            )
        else:
            self._bars = QuadBrush(paintbox, "meter", attributes, uniforms, options=turned)

    @property
    def _rows(self) -> int:
        """Lights in a stack: about as far from each other as stacks are."""
        return max(3, round(self._height / self._pitch))

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the levels of the moment."""
        time_s = self._scene.sound_s(moment)
        levels = self._levels(time_s)
        if self._curve is not None:
            self._draw_line(self._curve, levels)
            return
        caps = self._caps(time_s) if self._settings.peaks else None
        if self._settings.form == "dots":
            self._draw_dots(levels, caps)
        else:
            self._draw_bars(levels, caps)

    def _levels(self, time_s: float) -> Floats:
        """How tall the bars are, 0 to 1."""
        hearing, smooth = self._scene.hearing, self._settings.smooth
        bands = np.zeros(N_BANDS, np.float32)
        if hearing is not None:
            if smooth < 1:
                bands += (1 - smooth) * hearing.bands_at(time_s, released=False)
            if smooth > 0:
                bands += smooth * hearing.bands_at(time_s)
        return self._shaped(bands)

    def _shaped(self, bands: Floats) -> Floats:
        """Heights from levels of bands: (…, N_BANDS) becomes (…, bars)."""
        levels = (bands**_PEAKED @ self._shares) ** (_CONTRAST / _PEAKED)
        return np.asarray(np.minimum(levels * self._settings.gain, 1), dtype=np.float32)

    def _caps(self, time_s: float) -> Floats:
        """How high the caps lie: the highest of what was, each fallen since."""
        hearing = self._scene.hearing
        if hearing is None:
            return np.zeros(self._shares.shape[1], np.float32)
        ages = np.arange(0, _CAP_S, 0.01)
        fallen = 0.5 * _FALL_PER_S2 * np.square(np.maximum(ages - _HOLD_S, 0))
        before = self._shaped(hearing.bands_at(time_s - ages, released=False))
        highest = (before - fallen[:, None]).max(axis=0)
        return np.asarray(np.maximum(highest, self._levels(time_s)), np.float32)

    def _draw_line(self, curve: Curve, levels: Floats) -> None:
        box = self._box
        # It rises from its base and comes back to it, and is nowhere cut off.
        at = np.linspace(0, 1, len(levels))
        ends = np.clip(np.minimum(at, 1 - at) / 0.06, 0, 1)
        tall = np.asarray(levels * ends * ends * (3 - 2 * ends), np.float32)
        light = np.asarray(0.35 + 0.65 * tall, np.float32)
        pitch = (box.x1 - box.x0) / (len(levels) - 1)
        curve.draw(
            box.x0,
            np.float32(box.y1) - tall * np.float32(self._height),
            self._colours,
            light,
            pitch_px=pitch,
        )

    def _draw_bars(self, levels: Floats, caps: Floats | None) -> None:
        box, form, count = self._box, self._settings.form, len(levels)
        wide = self._pitch * (1 - self._settings.gap)
        least = max(1.0, _LEAST / 100 * self._short)
        tall = np.maximum(levels * self._height, least)
        rows = np.empty((count, 10 if self._round else 8), dtype=np.float32)
        if self._round:
            rows[:, 0], rows[:, 2] = -wide / 2, wide / 2
            rows[:, 1], rows[:, 3] = -self._radius - tall, -self._radius
            angles = self._angles(count)
            rows[:, 8], rows[:, 9] = np.sin(angles), -np.cos(angles)
        else:
            left = box.x0 + (np.arange(count) + 0.5) * self._pitch - wide / 2
            rows[:, 0], rows[:, 2] = left, left + wide
            middle = (box.y0 + box.y1) / 2
            low = middle + tall / 2 if form == "mirrored" else np.full(count, box.y1)
            rows[:, 1], rows[:, 3] = low - tall, low
        rows[:, 4:7], rows[:, 7] = self._colours, levels
        if self._settings.glow > 0:
            self._light.draw(rows)
        self._bars.draw(rows)
        if caps is None:
            return
        thick = max(1.0, 0.35 / 100 * self._short)
        top = np.maximum(caps * self._height, least) + 1.5 * thick
        lids = rows.copy()
        lids[:, 7] = 1.0
        if form == "mirrored":
            middle = (box.y0 + box.y1) / 2
            lids[:, 1], lids[:, 3] = middle - top / 2 - thick, middle - top / 2
            self._bars.draw(lids)
            lids[:, 1], lids[:, 3] = middle + top / 2, middle + top / 2 + thick
        else:
            base = -self._radius if self._round else box.y1
            lids[:, 1], lids[:, 3] = base - top - thick, base - top
        self._bars.draw(lids)

    def _angles(self, count: int) -> Floats:
        """Where the bars of a circle stand, clockwise from the top, in radians."""
        turned = math.radians(self._settings.rotation_deg % 360)
        return np.asarray(turned + 2 * math.pi * np.arange(count) / count, np.float32)

    def _draw_dots(self, levels: Floats, caps: Floats | None) -> None:
        box = self._box
        wide = self._pitch * (1 - self._settings.gap)
        rows = np.empty((len(levels), 9), dtype=np.float32)
        left = box.x0 + (np.arange(len(levels)) + 0.5) * self._pitch - wide / 2
        rows[:, 0], rows[:, 2] = left, left + wide
        rows[:, 1], rows[:, 3] = box.y0, box.y1
        rows[:, 4:7] = self._colours
        # The lowest light always shines a little.
        rows[:, 7] = np.maximum(levels, 0.4 / self._rows)
        rows[:, 8] = -1.0 if caps is None else np.ceil(caps * self._rows) / self._rows
        if self._settings.glow > 0:
            light = np.ascontiguousarray(rows[:, :8])
            light[:, 1] = box.y1 - np.maximum(levels, 1 / self._rows) * self._height
            light[:, 7] = levels
            self._light.draw(light)
        self._bars.draw(rows)


def places_of(count: int, *, symmetric: bool, around: bool) -> np.ndarray:
    """What each bar shows, 0 the lowest frequency to 1 the highest, (count,).

    Args:
        count: How many bars there are.
        symmetric: Whether the lowest is in the middle.
        around: Whether they stand on a circle, where the last is beside the first.
    """
    index = np.arange(count, dtype=np.float64)
    if not symmetric:
        return index / max(count - 1, 1)
    if around:
        return np.minimum(index, count - index) / (count / 2)
    return np.abs(index - (count - 1) / 2) / max((count - 1) / 2, 0.5)


def shares_of_bands(places: np.ndarray, from_hz: float, to_hz: float, spread: float) -> Floats:
    """How much of each band is in each bar, float32 (N_BANDS, bars); each bar has 1 in all.

    Bars take in what is beside them a little, so that they move together like something that
    lives. Beyond the bands the outermost one goes on.

    Args:
        places: Of the bars, from 0 to 1 along the logarithm of the frequency.
        from_hz: Frequency at 0.
        to_hz: Frequency at 1.
        spread: Distance of bars that are to look apart, as a part of all.
    """
    octaves = math.log2(max(to_hz, from_hz * 1.01) / from_hz)
    bands = np.log2(BAND_HZ)
    band = float(bands[1] - bands[0])
    at = np.clip(math.log2(from_hz) + places * octaves, bands[0], bands[-1])
    width = max(0.55 * band, 0.5 * octaves * spread)
    away = (bands[:, None] - at[None, :]) / width
    shares = np.exp(-0.5 * np.square(away))
    return np.asarray(shares / shares.sum(axis=0), dtype=np.float32)
