"""The piano roll: notes travelling to the line where they are struck."""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

from shared.composition import PianoRollLayer
from workers.gl.painter import QuadBrush, clipped
from workers.layers.scene import Floats, Moment, Scene, depth_axis, set_boxes

Seconds = NDArray[np.floating]

_SETTLED: float = 0.62
"""Light of a note that has sounded for a while, beside 1 at the strike."""
_SETTLE_S: float = 0.30
_RELEASE_S: float = 0.05


def sounding_light(since_s: Seconds, left_s: Seconds) -> Floats:
    """How brightly notes sound, 0 to 1, float32 (n,).

    Full at the strike, settling while the note lasts, gone when it ends.

    Args:
        since_s: Seconds since each note started; negative before.
        left_s: Seconds until it ends; negative after.
    """
    light = _SETTLED + (1 - _SETTLED) * np.exp(-np.maximum(since_s, 0) / _SETTLE_S)
    light *= np.clip(left_s / _RELEASE_S, 0, 1)
    return np.where((since_s >= 0) & (left_s > 0), light, 0).astype(np.float32)


class PianoRoll:
    """Draws the notes that are on screen, black keys' notes over white keys'."""

    still = None

    def __init__(self, context: moderngl.Context, scene: Scene, settings: PianoRollLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._context = context
        self._scene = scene
        self._settings = settings
        self.moving = layout.roll
        # What lies behind the edge of the screen may still shine in.
        halo_px = max(1.0, settings.glow_radius / 100 * layout.short_side)
        self._margin_s = (halo_px + 2) / abs(layout.travel_px_per_s)
        depth = depth_axis(layout.direction)
        self._brush = QuadBrush(
            context,
            layout,
            "note",
            {"box": 4, "colour": 3, "radius": 1, "sounding": 1},
            {
                "halo": halo_px,
                "strength": settings.glow,
                "sheen": settings.sheen,
                "outline": float(settings.outline),
                "across": (abs(depth[1]), abs(depth[0])),
            },
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the notes between the edges of the roll."""
        scene, layout, settings = self._scene, self._scene.layout, self._settings
        now = moment.song_s
        index = scene.notes.visible(
            now - layout.seconds_after - self._margin_s,
            now + layout.seconds_ahead + self._margin_s,
        )
        if len(index) == 0:
            return
        key = scene.notes.key[index]
        # Black keys' notes last; the sort is stable, so later notes stay over earlier ones.
        order = np.argsort(scene.black[key], kind="stable")
        index, key = index[order], key[order]
        since_s = now - scene.notes.start_s[index]
        left_s = scene.notes.end_s[index] - now

        lanes = scene.lanes[key]
        width = lanes[:, 1] - lanes[:, 0]
        inset = width * (settings.gap / 2)
        near = layout.hit_px + since_s * layout.travel_px_per_s
        far = layout.hit_px - left_s * layout.travel_px_per_s
        # Repeated notes stay apart: a note is drawn a little shorter than it sounds.
        breath = np.minimum(0.004 * layout.short_side, 0.2 * np.abs(near - far))
        far = far + np.sign(layout.travel_px_per_s) * breath
        # Far beyond the screen a float32 pixel has no exact place, and none is needed.
        reach = 4.0 * layout.time_extent
        near, far = np.clip(near, -reach, reach), np.clip(far, -reach, reach)

        rows = np.empty((len(index), 9), dtype=np.float32)
        first, last = np.minimum(near, far), np.maximum(near, far)
        set_boxes(rows, layout, lanes[:, 0] + inset, lanes[:, 1] - inset, first, last)
        rows[:, 4:7] = scene.colours[index]
        rows[:, 7] = settings.corner_radius * (width - 2 * inset)
        rows[:, 8] = sounding_light(since_s, left_s) if settings.glow > 0 else 0

        with clipped(self._context, layout.roll):
            self._brush.draw(rows)
