"""The waveform: the sound of the moment, or the loudness of what was and will be."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import WaveformLayer
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.hearing import HOP_S, Hearing
from workers.layers.curve import Curve
from workers.layers.placing import area_of, place
from workers.layers.scene import Floats, Layer, Moment, Scene

_WAVE_S: Final = 0.1
"""In so much sound single waves can be seen."""
_STILL_S: Final = 0.0125
"""How far from the moment an oscilloscope may begin: half a period of 40 Hz."""
_SAMPLE_S: Final = 1 / 8000
"""Of what a hearing keeps of a sound (``workers.hearing.bands.WAVE_RATE``)."""
_HALO: Final = 1.6
"""Reach of the light around bars in % of the short side."""
_LOUD: Final = 99.9
"""Percentile of the peaks that fills the height: one crack does not make all else small."""
_SHORT: Final = 16
"""Peaks in a part of the whole song."""
_SILENT: Final = 0.003
"""Peaks below this are noise, which is not made larger (-50 dB)."""


def make_waveform(paintbox: Paintbox, scene: Scene, settings: WaveformLayer) -> Layer:
    """The waveform in the form that is asked for."""
    match settings.form:
        case "oscilloscope":
            return Oscilloscope(paintbox, scene, settings)
        case "scroll":
            return Scrolling(paintbox, scene, settings)
        case "whole":
            return Whole(paintbox, scene, settings)


class Oscilloscope:
    """The wave as a line that stands still while a tone lasts."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: WaveformLayer) -> None:
        """Prepare the line."""
        self._scene, self._settings = scene, settings
        self._box = box = _box(scene, settings)
        width = box.x1 - box.x0
        red, green, blue, alpha = linear_rgba(settings.colour)
        self._colour = (red, green, blue)
        self._gain = settings.gain / _loudest(paintbox, scene.hearing)
        self._curve = Curve(
            paintbox,
            short_px=scene.layout.short_side,
            thickness=settings.thickness,
            glow=settings.glow,
            opacity=settings.opacity * alpha,
            ends=(box.x0, box.x1, 0.08 * width),
        )
        reach = self._curve.reach_px
        self.moving = Rect(box.x0 - reach, box.y0 - reach, box.x1 + reach, box.y1 + reach)

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the wave of the moment."""
        box, curve, hearing = self._box, self._curve, self._scene.hearing
        time_s, span_s = self._scene.sound_s(moment), self._settings.seconds
        width = box.x1 - box.x0
        count = curve.points(width)
        left, pitch, level = box.x0, width / (count - 1), 0.0
        wave = np.zeros(count, np.float32)
        if hearing is not None:
            level = hearing.level_at(time_s)
            if span_s <= _WAVE_S:
                middle_s = hearing.trigger(time_s, min(span_s / 2, _STILL_S))
                # Where points lie apart, each is the mean of what is around it.
                each = math.ceil(span_s / (count - 1) / (1.5 * _SAMPLE_S))
                half_s = span_s / 2 * (1 + (each - 1) / each / (count - 1))
                wave = hearing.wave(middle_s - half_s, middle_s + half_s, count * each)
                wave = wave.reshape(count, each).mean(axis=1)
            else:
                # Too many waves to be seen: up and down between their peaks.
                long_s, begin_s = 2 * span_s / (count - 1), time_s - span_s / 2
                first_s, part_s, peaks = parts_between(
                    hearing, begin_s, begin_s + span_s + long_s, long_s
                )
                wave = peaks.reshape(-1)
                pitch = part_s / span_s * width / 2
                left += (first_s - begin_s) / span_s * width
        x = left + pitch * np.arange(len(wave))
        ends = np.clip(np.minimum(x - box.x0, box.x1 - x) / (0.16 * width), 0, 1)
        wave = rounded_off(wave * self._gain) * (ends * ends * (3 - 2 * ends))
        heights = np.asarray((box.y0 + box.y1) / 2 - wave * (box.y1 - box.y0) / 2, np.float32)
        curve.draw(left, heights, self._colour, 0.35 + 0.65 * level, pitch_px=pitch)


class _Bars:
    """What both forms of bars share: played ones and those to come, mirrored at a middle line."""

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: WaveformLayer) -> None:
        self._scene, self._settings = scene, settings
        self._short = short = scene.layout.short_side
        self._box = box = _box(scene, settings)
        self._gain = settings.gain / _loudest(paintbox, scene.hearing)
        self._halo = max(1.0, _HALO / 100 * short)
        self._pitch = max(2.0, settings.bar / 100 * short)
        reach = self._halo + 2
        self._reach = Rect(box.x0 - reach, box.y0 - reach, box.x1 + reach, box.y1 + reach)
        self._uniforms = {
            "now_px": 0.0,
            "done": linear_rgba(settings.colour),
            "rest": linear_rgba(settings.rest_colour),
            "warm_px": 0.05 * (box.x1 - box.x0),
            "heat": 0.8,
            "halo": self._halo,
            "strength": 0.45 * settings.glow,
            "opacity": settings.opacity,
            "ends": (box.x0, box.x1, 0.0),
        }
        self._light = QuadBrush(paintbox, "played", {"box": 4}, self._uniforms, options=["GLOW"])
        self._bars = QuadBrush(paintbox, "played", {"box": 4}, self._uniforms)

    def _rows(self, left: NDArray[np.floating], pitch: float, loud: Floats) -> Floats:
        """Bars from their left edges, their distance, and how loud they are, 0 to 1."""
        box = self._box
        wide = pitch * (1 - self._settings.gap)
        half = np.maximum(loud * (box.y1 - box.y0), max(1.0, min(wide, 0.004 * self._short))) / 2
        middle = (box.y0 + box.y1) / 2
        rows = np.empty((len(loud), 4), dtype=np.float32)
        rows[:, 0] = left + (pitch - wide) / 2
        rows[:, 2] = rows[:, 0] + wide
        rows[:, 1], rows[:, 3] = middle - half, middle + half
        return rows

    def _loud(self, peaks: Floats) -> Floats:
        return rounded_off(np.abs(peaks).max(axis=1, initial=0) * self._gain)

    def _draw(self, rows: Floats, now_px: float, **uniforms: object) -> None:
        """Draw bars that are played up to a place."""
        if self._settings.glow > 0:
            self._light.set(now_px=now_px)
            self._light.draw(rows[rows[:, 0] < now_px])
        self._bars.set(now_px=now_px, **uniforms)
        self._bars.draw(rows)


class Scrolling(_Bars):
    """Bars that travel to the left; those at the middle are heard."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: WaveformLayer) -> None:
        """Prepare the brushes."""
        super().__init__(paintbox, scene, settings)
        self.moving = self._reach
        box = self._box
        ends = (box.x0, box.x1, 0.12 * (box.x1 - box.x0))
        self._light.set(ends=ends)
        self._bars.set(ends=ends)

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw what was heard and will be."""
        box, span_s = self._box, self._settings.seconds
        width = box.x1 - box.x0
        begin_s = self._scene.sound_s(moment) - span_s / 2
        first_s, part_s, peaks = parts_between(
            self._scene.hearing, begin_s, begin_s + span_s, span_s * self._pitch / width
        )
        px_per_s = width / span_s
        left = box.x0 + (first_s - begin_s + part_s * np.arange(len(peaks))) * px_per_s
        rows = self._rows(left, part_s * px_per_s, self._loud(peaks))
        self._draw(rows, (box.x0 + box.x1) / 2)


class Whole(_Bars):
    """Bars of the whole song, and how far it has been played."""

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: WaveformLayer) -> None:
        """Find the bars."""
        super().__init__(paintbox, scene, settings)
        box, hearing = self._box, scene.hearing
        width = box.x1 - box.x0
        self._end_s = max(scene.song.end_s, 1e-6)
        count = max(1, round(width / self._pitch))
        loud: Floats = (
            np.zeros(count, np.float32)
            if hearing is None
            else paintbox.keep(
                ("loudness of the song", count),
                lambda: loudness_of(hearing, -scene.heard_offset_s, self._end_s, count),
            )
        )
        pitch = width / count
        left = box.x0 + pitch * np.arange(count)
        self._all = self._rows(left, pitch, rounded_off(loud * settings.gain))
        # What is played covers what stands still, unless one can see through it.
        covers = settings.opacity * linear_rgba(settings.colour)[3] == 1
        self.still = self._reach if covers else None
        self.moving = self._reach
        red, green, blue, _ = linear_rgba(settings.colour)
        self._none = (red, green, blue, 0.0)

    def draw_still(self) -> None:
        """Draw the song as if nothing had been played, where what is played covers it."""
        if self.still is None:
            return
        self._bars.set(now_px=self._box.x0 - 1, rest=self._uniforms["rest"])
        self._bars.draw(self._all)

    def draw(self, moment: Moment) -> None:
        """Draw what has been played."""
        box = self._box
        played = min(max(moment.song_s / self._end_s, 0.0), 1.0)
        # At 0 not even the edge of a pixel is played.
        now_px = box.x0 + played * (box.x1 - box.x0) if played > 0 else box.x0 - 1
        if self.still is None:
            self._draw(self._all, now_px)
        else:
            self._draw(self._all[self._all[:, 0] < now_px], now_px, rest=self._none)


def parts_between(
    hearing: Hearing | None, t0: float, t1: float, part_s: float
) -> tuple[float, float, Floats]:
    """The peaks of the parts of a sound that a stretch of time touches.

    Parts begin at multiples of their length, and hold whole samples or hops, so that a part has
    the same peaks whatever stretch it is found in.

    Args:
        hearing: The sound; silence without one.
        t0: Where the stretch begins.
        t1: Where it ends.
        part_s: How long parts are to be; they may become somewhat longer.

    Returns:
        When the first part begins, how long parts are, and their lowest and highest sample,
        float32 (n, 2).
    """
    # Parts of more than two hops are found from hops (Hearing.envelope_between).
    unit_s = HOP_S if part_s > 2 * HOP_S else _SAMPLE_S
    units = math.ceil(part_s / unit_s - 1e-9)
    if units * unit_s > 2 * HOP_S - unit_s and unit_s < HOP_S:
        unit_s, units = HOP_S, 3
    length_s = units * unit_s
    first, last = math.floor(t0 / length_s), math.ceil(t1 / length_s)
    count = max(1, last - first)
    if hearing is None:
        return first * length_s, length_s, np.zeros((count, 2), np.float32)
    # A quarter of a unit later, where no rounding makes it another unit.
    late_s = unit_s / 4
    peaks = hearing.envelope_between(
        first * length_s + late_s, (first + count) * length_s + late_s, count
    )
    return first * length_s, length_s, peaks


def loudness_of(hearing: Hearing, begin_s: float, lasts_s: float, count: int) -> Floats:
    """How loud equal parts of a sound are, the loudest 1: the mean of short peaks, (count,).

    The highest peak of some seconds is much the same all over a song; the mean tells how it goes.
    """
    peaks = hearing.envelope_between(begin_s, begin_s + lasts_s, count * _SHORT)
    loud = np.abs(peaks).max(axis=1).reshape(count, _SHORT).mean(axis=1)
    return np.asarray(loud / max(float(loud.max()), _SILENT), np.float32)


def rounded_off(wave: Floats) -> Floats:
    """A wave that stays within ±1: small values as they are, those beyond pressed together."""
    wave = np.clip(np.asarray(wave, np.float64), -1e6, 1e6)
    return np.asarray(wave / (1 + np.abs(wave) ** 6) ** (1 / 6), np.float32)


def _loudest(paintbox: Paintbox, hearing: Hearing | None) -> float:
    """The peak of the loud places of what is heard; 1 where there is silence."""
    if hearing is None or len(hearing.envelope) == 0:
        return 1.0

    def find() -> float:
        peaks = np.abs(hearing.envelope.astype(np.float32)).max(axis=1) / 32767
        loud = float(np.percentile(peaks, _LOUD))
        return loud if loud > _SILENT else 1.0

    return paintbox.hold("loudest peak", find)


def _box(scene: Scene, settings: WaveformLayer) -> Rect:
    layout = scene.layout
    area = area_of(layout, settings)
    width = max(1.0, settings.width * (area.x1 - area.x0))
    return place(layout, settings, width, settings.height / 100 * layout.short_side)
