"""Rings of light that run outwards from where notes are struck."""

from __future__ import annotations

from typing import Final

import numpy as np

from shared.composition import ShockwaveLayer
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.chance import hashed, luck
from workers.layers.crowds import loudness, shares
from workers.layers.scene import Moment, Scene

_MOST: Final = 160
"""Waves that run at one time, at most: they lie over each other, and more are but a fog."""
_ROOM: Final = 1.1
"""The rectangle of a wave beside what it reaches: the front of the ring has its own width."""
_SEED: Final = 5


class Shockwave:
    """Draws the waves that run at a moment, each from the age of its strike alone."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: ShockwaveLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._scene, self._settings = scene, settings
        self.moving = layout.frame
        self._reach_px = settings.size / 100 * layout.short_side
        self._width_px = settings.width / 100 * layout.short_side
        self._brush = QuadBrush(paintbox, "wave", {"box": 4, "breadth": 1, "colour": 3, "shape": 2})

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the rings of the notes struck not long ago."""
        scene, settings, now = self._scene, self._settings, moment.song_s
        notes = scene.notes
        index = notes.started(now - settings.duration_s, float(np.nextafter(now, np.inf)))
        index = index[notes.velocity[index] >= settings.from_velocity]
        start_s = notes.start_s[index]
        share = shares(scene, index, lasts_s=settings.duration_s, room=_MOST)
        chosen = luck(hashed(index, _SEED), 0) < share
        index, start_s = index[chosen], start_s[chosen]
        if len(index) == 0:
            return
        run = np.clip((now - start_s) / settings.duration_s, 0, 1)
        opened = 1 - (1 - run) ** 3
        loud = loudness(notes.velocity[index])
        reach = self._reach_px * (0.6 + 0.4 * loud)  # where it ends
        radius = reach * (0.08 + 0.92 * opened)
        half = radius * _ROOM + self._width_px * 2 + 2
        breadth = half * settings.flatness
        x, y, aside_x, aside_y = scene.hit_points(scene.lanes[notes.key[index]].mean(axis=1))
        # It thins as it opens, and its light is spread over an ever longer ring.
        width = self._width_px * (1 - 0.65 * run)
        light = settings.strength * loud * (1 - run) ** 1.7
        own = scene.colours[index]
        colour = own + (1 - own) * (0.55 * np.exp(-5 * run))[:, None]
        rows = np.empty((len(index), 10), dtype=np.float32)
        rows[:, 0], rows[:, 1] = x, y
        rows[:, 2], rows[:, 3] = aside_x * half, aside_y * half
        rows[:, 4] = breadth
        rows[:, 5:8] = colour * light[:, None]
        rows[:, 8], rows[:, 9] = radius / half, width / half
        self._brush.draw(rows)
