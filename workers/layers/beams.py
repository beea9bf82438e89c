"""Beams of light that stand on the lanes of sounding notes."""

from __future__ import annotations

from typing import Final

import numpy as np

from shared.composition import BeamLayer
from workers.gl.paintbox import Paintbox
from workers.gl.painter import clipped
from workers.layers.crowds import added_up, limited, loudness
from workers.layers.scene import Moment, Scene, depth_axis, set_boxes

_RELEASE_S: Final = 0.1
_SOURCE: Final = 0.9
"""Light added at the hit line, where the beam comes from."""


class Beams:
    """Draws one beam for every key that sounds, however many notes hold it."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: BeamLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._context = paintbox.context
        self._scene, self._settings = scene, settings
        self.moving = layout.stage_area
        depth = depth_axis(layout.direction)
        self._brush = scene.brush(
            paintbox,
            "beam",
            {"box": 4, "colour": 3, "shape": 2},
            {"away": (-depth[0], -depth[1])},
            area=layout.roll,
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the beams of the notes that sound, or have just ended."""
        scene, settings, now = self._scene, self._settings, moment.song_s
        layout, notes = scene.layout, scene.notes
        index = notes.visible(now - _RELEASE_S, float(np.nextafter(now, np.inf)))
        if len(index) == 0:
            return
        since_s = now - notes.start_s[index]
        lasting = settings.hold + (1 - settings.hold) * np.exp(-since_s / settings.decay_s)
        released = np.clip(1 + (notes.end_s[index] - now) / _RELEASE_S, 0, 1) ** 2
        light = settings.strength * lasting * released * loudness(notes.velocity[index])
        keys, sums = added_up(notes.key[index], scene.colours[index] * light[:, None])

        middle = scene.lanes[keys].mean(axis=1)
        half = settings.width * layout.pitch_extent / layout.keys.white_keys / 2
        ahead_px = layout.seconds_ahead * layout.travel_px_per_s * settings.reach
        ends = sorted((layout.hit_px, layout.hit_px - ahead_px))
        rows = np.empty((len(keys), 9), dtype=np.float32)
        set_boxes(rows, layout, middle - half, middle + half, *ends)
        rows[:, 4:7] = limited(sums, 1.5 * settings.strength)
        rows[:, 7:9] = 0.0, _SOURCE
        with clipped(self._context, layout.stage_area):
            self._brush.draw(rows)
