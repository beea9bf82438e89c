"""A flash of light where and when a note is struck."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from shared.composition import HitFlashLayer
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.crowds import added_up, limited, loudness
from workers.layers.scene import Moment, Scene

_DARK: Final = 0.01
"""A flash that has fallen to this is over."""
_STEADY: Final = 0.16
"""Light that stays while the note sounds, beside that of the strike."""
_RELEASE_S: Final = 0.12
_LINGER: Final = 1.7
"""The wide light takes so much longer to fade than the hot core: the flash seems to open."""
_LEAST_PX: Final = 1.2

# Half length and half breadth beside the size that is set, and brightness.
_BLOOM: Final = (2.0, 1.65, 0.75)
_CORE: Final = (0.85, 0.62, 1.35)
_STREAK: Final = (5.5, 0.2, 0.8)
_STRAIGHT: Final = 0.09
"""Part of the radius of a curved stage along which its line may be taken for straight."""


class HitFlash:
    """Flashes decay by a closed form, so that any frame can be drawn alone.

    A flash is a wide light, a hot core, and a streak along the line as a lens makes it. Those of
    one key are drawn together, however many there are.
    """

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: HitFlashLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._scene = scene
        self._settings = settings
        self.moving = layout.frame
        self._lasts_s = settings.decay_s * _LINGER * math.log(1 / _DARK)
        self._radius_px = settings.size / 100 * layout.short_side
        self._brush = QuadBrush(
            paintbox, "glow", {"box": 4, "breadth": 1, "colour": 3}, options=["FLASH"]
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the flashes of the notes struck a moment ago, and the glow of those that sound."""
        scene, settings, now = self._scene, self._settings, moment.song_s
        notes = scene.notes
        first_s = now - max(self._lasts_s, _RELEASE_S)
        index = notes.visible(first_s, float(np.nextafter(now, np.inf)))
        if len(index) == 0 or settings.strength <= 0:
            return
        since_s = now - notes.start_s[index]
        slow = np.maximum(np.exp(-since_s / (settings.decay_s * _LINGER)) - _DARK, 0)
        fast = np.maximum(np.exp(-since_s / settings.decay_s) - _DARK, 0)
        # A glow stays until the note is released.
        held = np.clip(1 + (notes.end_s[index] - now) / _RELEASE_S, 0, 1) ** 2 * _STEADY
        loud = loudness(notes.velocity[index]) * settings.strength
        wide = loud * (slow + held * (1 - slow))
        hot = loud * (fast + held * (1 - fast))
        # The core is white-hot at the strike and takes the colour of the note as it cools.
        colour = scene.colours[index]
        white = np.minimum(0.85, 0.9 * fast * settings.strength)[:, None]
        heart = colour + (1 - colour) * white
        streak = colour + (1 - colour) * (0.35 * white)
        values = np.concatenate(
            [colour * wide[:, None], heart * hot[:, None], streak * hot[:, None]], axis=1
        )
        keys, sums = added_up(notes.key[index], values)
        most = 1.5 * settings.strength

        curve_px = abs(scene.layout.curve_px)
        x, y, aside_x, aside_y = scene.hit_points(scene.lanes[keys].mean(axis=1))
        rows = np.empty((3, len(keys), 8), dtype=np.float32)
        for part, (half, breadth, light) in enumerate((_BLOOM, _CORE, _STREAK)):
            half_px, breadth_px = half * self._radius_px, breadth * self._radius_px
            if curve_px:  # a streak is straight
                half_px = min(half_px, max(self._radius_px, _STRAIGHT * curve_px))
            thin = min(1.0, breadth_px / _LEAST_PX)
            rows[part, :, 0], rows[part, :, 1] = x, y
            rows[part, :, 2] = aside_x * half_px
            rows[part, :, 3] = aside_y * half_px
            rows[part, :, 4] = max(breadth_px, _LEAST_PX)
            here = limited(sums[:, 3 * part : 3 * part + 3], most)
            rows[part, :, 5:8] = here * (light * thin)
        lit = rows[:, :, 5:8].max(axis=2) > 0
        self._brush.draw(rows[lit])
