"""A flash of light where and when a note is struck."""

from __future__ import annotations

import math

import moderngl
import numpy as np

from shared.composition import HitFlashLayer
from workers.gl.painter import QuadBrush
from workers.layers.scene import Moment, Scene, set_boxes

_DARK: float = 0.01
"""A flash that has fallen to this is over."""


class HitFlash:
    """Flashes decay by a closed form, so that any frame can be drawn alone."""

    still = None

    def __init__(self, context: moderngl.Context, scene: Scene, settings: HitFlashLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._scene = scene
        self._settings = settings
        self.moving = layout.frame
        self._lasts_s = settings.decay_s * math.log(1 / _DARK)
        self._radius_px = settings.size / 100 * layout.short_side
        self._brush = QuadBrush(context, layout, "flash", {"box": 4, "colour": 4})

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the flashes of the notes struck a moment ago."""
        scene, layout, now = self._scene, self._scene.layout, moment.song_s
        index = scene.notes.started(now - self._lasts_s, float(np.nextafter(now, np.inf)))
        if len(index) == 0:
            return
        since_s = now - scene.notes.start_s[index]
        fade = np.exp(-since_s / self._settings.decay_s) - _DARK
        loud = 0.45 + 0.55 * scene.notes.velocity[index] / 127
        middle = scene.lanes[scene.notes.key[index]].mean(axis=1)
        # It opens as it fades, and lies flat along the hit line.
        wide = self._radius_px * (1.25 + 0.5 * (1 - np.exp(-since_s / self._settings.decay_s)))
        flat = wide * 0.8
        rows = np.empty((len(index), 8), dtype=np.float32)
        hit = layout.hit_px
        set_boxes(rows, layout, middle - wide, middle + wide, hit - flat, hit + flat)
        rows[:, 4:7] = scene.colours[index]
        rows[:, 7] = self._settings.strength * fade * loud
        self._brush.draw(rows)
