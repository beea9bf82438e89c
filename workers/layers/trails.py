"""Light that notes leave behind them on their way to the hit line, and on their lane."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.composition import TrailLayer
from workers.gl.paintbox import Paintbox
from workers.gl.painter import clipped
from workers.layers.crowds import added_up, limited, loudness
from workers.layers.piano_roll import sounding_light
from workers.layers.scene import Floats, Moment, Scene, depth_axis, set_boxes

_QUIET: Final = 0.5
"""Light of a note's trail before the note sounds, beside that while it does."""
_EMBERS: Final = 0.6
"""Light on the lane of a note that has just ended, beside that of its trail."""
_EMBERS_LONG: Final = 0.45
"""How far that light reaches, beside a trail."""
_WITHIN: Final = 0.4
"""How far within its note a trail begins, in widths of its lane."""
_SOFT: Final = 1.4
"""How much wider a trail is than it looks, for its soft sides."""


class Trails:
    """Draws a trail behind every note on screen; it is gone where the next of its key begins.

    So trails lie side by side, and ten thousand notes have no more room for them than ten.
    """

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: TrailLayer) -> None:
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
            options=["TAPERED"],
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the trails between the edges of the roll, and what glows on after them."""
        layout = self._scene.layout
        rows = np.concatenate([self._embers(moment.song_s), self._trails(moment.song_s)])
        with clipped(self._context, layout.stage_area):
            self._brush.draw(rows)

    def _trails(self, now: float) -> Floats:
        scene, settings = self._scene, self._settings
        layout, notes = scene.layout, scene.notes
        index = notes.visible(
            now - layout.seconds_after - settings.length_s, now + layout.seconds_ahead
        )
        long_s = np.minimum(scene.music.rests_s[index], settings.length_s)
        index, long_s = index[long_s > 0], long_s[long_s > 0]
        left_s = notes.end_s[index] - now
        light = sounding_light(now - notes.start_s[index], left_s)
        light = settings.strength * (_QUIET + (1 - _QUIET) * light)
        near = layout.hit_px - left_s * layout.travel_px_per_s
        far = near - long_s * layout.travel_px_per_s
        # They begin in their notes, whose ends may be round.
        keys = notes.key[index].astype(np.intp)
        lanes = scene.lanes[keys]
        inside = np.abs((notes.end_s[index] - notes.start_s[index]) * layout.travel_px_per_s) / 2
        near += np.sign(layout.travel_px_per_s) * np.minimum(
            inside, (lanes[:, 1] - lanes[:, 0]) * _WITHIN
        )
        # Far beyond the screen a float32 pixel has no exact place, and there is no trail.
        seen = np.abs(near) < 4.0 * layout.time_extent
        index, keys, light = index[seen], keys[seen], light[seen]
        near, far = near[seen], far[seen]
        rows = np.empty((len(index), 9), dtype=np.float32)
        low, high = self._sides(keys)
        set_boxes(rows, layout, low, high, np.minimum(near, far), np.maximum(near, far))
        loud = loudness(notes.velocity[index])
        rows[:, 4:7] = scene.colours[index] * (light * loud)[:, None]
        rows[:, 7:9] = 0.0
        return rows

    def _embers(self, now: float) -> Floats:
        """What lies at the hit line where notes ended a moment ago."""
        scene, settings = self._scene, self._settings
        layout, notes = scene.layout, scene.notes
        index = notes.visible(now - settings.length_s, float(np.nextafter(now, np.inf)))
        index = index[notes.end_s[index] <= now]
        if len(index) == 0:
            return np.empty((0, 9), dtype=np.float32)
        ended = np.clip((now - notes.end_s[index]) / settings.length_s, 0, 1)
        light = settings.strength * _EMBERS * (1 - ended) ** 2 * loudness(notes.velocity[index])
        keys, sums = added_up(notes.key[index], scene.colours[index] * light[:, None])
        long_px = _EMBERS_LONG * settings.length_s * layout.travel_px_per_s
        ends = sorted((layout.hit_px, layout.hit_px - long_px))
        rows = np.empty((len(keys), 9), dtype=np.float32)
        set_boxes(rows, layout, *self._sides(keys), *ends)
        rows[:, 4:7] = limited(sums, settings.strength)
        rows[:, 7:9] = 1.0, 0.0
        return rows

    def _sides(self, keys: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Both edges of the trails of some keys on the pitch axis."""
        lanes = self._scene.lanes[keys]
        middle = lanes.mean(axis=1)
        half = (lanes[:, 1] - lanes[:, 0]) / 2 * self._settings.width * _SOFT
        return middle - half, middle + half
