"""The piano roll: notes travelling to the line where they are struck."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.composition import PianoRollLayer
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.gl.painter import clipped
from workers.layers.hidden import WHOLE, seen_lengths
from workers.layers.note_labels import NoteLabels
from workers.layers.scene import Floats, Indices, Moment, Scene, depth_axis, set_boxes

Seconds = NDArray[np.floating]

_SETTLED: Final = 0.62
"""Light of a note that has sounded for a while, beside 1 at the strike."""
_SETTLE_S: Final = 0.30
_RELEASE_S: Final = 0.05

_OPAQUE: Final = {"bar", "gem"}
"""Shapes that hide what they cover, but for their corners."""
_HEADED: Final = {"comet", "bead"}
"""Shapes whose head waits on the line while the note sounds."""


def settling(since_s: Seconds) -> Floats:
    """How bright what was struck still is, from 1 at the strike down, float32 (n,).

    Args:
        since_s: Seconds since then; 1 where it is negative.
    """
    since = np.maximum(since_s, 0).astype(np.float32, copy=False)
    bright: Floats = _SETTLED + (1 - _SETTLED) * np.exp(since * np.float32(-1 / _SETTLE_S))
    return bright


def sounding_light(since_s: Seconds, left_s: Seconds) -> Floats:
    """How brightly notes sound, 0 to 1, float32 (n,).

    Full at the strike, settling while the note lasts, gone when it ends.

    Args:
        since_s: Seconds since each note started; negative before.
        left_s: Seconds until it ends; negative after.
    """
    light = np.zeros(len(since_s), dtype=np.float32)
    sounds = np.flatnonzero((since_s >= 0) & (left_s > 0))
    light[sounds] = settling(since_s[sounds]) * np.minimum(left_s[sounds] / _RELEASE_S, 1)
    return light


def _around(area: Rect, far: float) -> Rect:
    return Rect(area.x0 - far, area.y0 - far, area.x1 + far, area.y1 + far)


class PianoRoll:
    """Draws the notes that are on screen, black keys' notes over white keys'."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: PianoRollLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._context = paintbox.context
        self._scene = scene
        self._settings = settings
        self.moving = layout.stage_area
        self._waits = settings.shape in _HEADED and layout.seconds_after <= 0
        # What lies behind the edge of the screen may still shine in.
        halo_px = max(1.0, settings.glow_radius / 100 * layout.short_side)
        self._margin_s = (halo_px + 2) / abs(layout.travel_px_per_s)
        self._brush = scene.brush(
            paintbox,
            "note",
            {"box": 4, "colour": 3, "sounding": 1, "seen": 1},
            {
                "halo": halo_px,
                "strength": settings.glow,
                "sheen": settings.sheen,
                "outline": float(settings.outline),
                "opacity": settings.opacity,
                "rounding": settings.corner_radius,
                "depth": depth_axis(layout.direction),
            },
            # The light of a head that waits on the line goes on beyond it.
            area=_around(layout.roll, halo_px) if self._waits else layout.roll,
            options=() if settings.shape == "bar" else (f"SHAPE_{settings.shape.upper()}",),
        )
        self._hides = (
            settings.shape in _OPAQUE
            and settings.opacity == 1
            and settings.velocity_size == 0  # a narrower note covers no wider one
            and not settings.outline
        )
        self._labels: NoteLabels | None = None
        if settings.labels != "none":
            self._labels = NoteLabels(paintbox, scene, settings, settings.labels)

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
        # Black keys' notes last; otherwise later notes stay over earlier ones.
        black = scene.black[scene.notes.key[index]]
        index = np.concatenate([index[~black], index[black]])
        key = scene.notes.key[index]
        since_s = (now - scene.notes.start_s[index]).astype(np.float32)
        left_s = (scene.notes.end_s[index] - now).astype(np.float32)

        # Places along the way that notes come from, in pixels from the line. Far beyond the
        # screen a float32 pixel has no exact place, and none is needed.
        speed = np.float32(abs(layout.travel_px_per_s))
        reach = np.float32(4.0 * layout.time_extent)
        begin, end = since_s * -speed, left_s * speed
        # Repeated notes stay apart: a note is drawn a little shorter than it sounds.
        end -= np.minimum(np.float32(0.004 * layout.short_side), np.float32(0.2) * (end - begin))
        np.clip(begin, -reach, reach, out=begin)
        np.clip(end, -reach, reach, out=end)
        head = np.maximum(begin, 0) if self._waits else begin
        tail = np.maximum(head, end)

        half = self._half_widths(index, key)
        if settings.shape == "bead":  # a ball stays round, however short its note is
            tail = np.where(left_s > 0, np.maximum(tail, head + 2 * half), tail)

        rows = np.empty((len(index), 9), dtype=np.float32)
        middle = (scene.lanes[:, 0] + scene.lanes[:, 1])[key] * np.float32(0.5)
        if layout.forward:
            low, high = layout.hit_px - tail, layout.hit_px - head
        else:
            low, high = layout.hit_px + head, layout.hit_px + tail
        set_boxes(rows, layout, middle - half, middle + half, low, high)
        rows[:, 4:7] = scene.colours[index]
        rows[:, 7] = sounding_light(since_s, left_s) if settings.glow > 0 else 0
        rows[:, 8] = WHOLE
        if self._hides:
            corner = np.float32(2 * settings.corner_radius) * half
            rows[:, 8] = seen_lengths(key, begin, end, corner, rows[:, 7])
        with clipped(self._context, layout.stage_area):
            self._brush.draw(rows)
            if self._labels is not None:
                self._labels.draw(key, begin, end, half, rows[:, 4:7], rows[:, 8])

    def _half_widths(self, index: Indices, key: NDArray[np.uint8]) -> Floats:
        """Half the width of each note in pixels, (n,)."""
        scene, settings = self._scene, self._settings
        lane = (scene.lanes[:, 1] - scene.lanes[:, 0]) * np.float32((1 - settings.gap) / 2)
        half: Floats = lane[key]
        if settings.velocity_size > 0:
            loud = np.arange(128, dtype=np.float32) / 127
            half *= (1 - settings.velocity_size * (1 - loud))[scene.notes.velocity[index]]
        return half
