"""The keyboard: accurate proportions, keys lit while they sound."""

from __future__ import annotations

import moderngl
import numpy as np

from shared.colour import linear_rgba
from shared.composition import KeyboardLayer
from shared.keyboard import BLACK_LENGTH
from workers.gl.painter import Floats, QuadBrush
from workers.layers.scene import Moment, Scene, depth_axis

_GAP: float = 0.045
"""Space between two white keys in widths of a white key."""
_SHADOW: float = 0.035
"""Reach of a lifted keyboard's shadow, as a fraction of the time axis."""
_STRIPS: int = 32
"""Steps in which it fades."""
_RELEASE_S: float = 0.12
"""Time in which the light of a released key goes out."""

# Columns of an instance.
_LIT = slice(7, 11)
_LIGHT = 10
_SHADE = slice(12, 14)


class Keyboard:
    """White keys at the back, black keys and their shadows over them."""

    def __init__(self, context: moderngl.Context, scene: Scene, settings: KeyboardLayer) -> None:
        """Lay out the keys."""
        layout = scene.layout
        self._scene = scene
        # A shadow falls on what lies beyond the keys.
        self.still = layout.frame if layout.covered_px else layout.keyboard
        self.moving = layout.keyboard
        self._flat = QuadBrush(context, layout, "rect", {"box": 4, "colour": 4})
        self._brush = QuadBrush(
            context,
            layout,
            "key",
            {"box": 4, "base": 3, "lit": 4, "black": 1, "shade": 2},
            {
                "depth": depth_axis(layout.direction),
                "light": settings.light,
                "black_px": layout.keyboard_px * BLACK_LENGTH,
            },
        )
        shown = np.arange(layout.keys.low, layout.keys.high + 1)
        black = scene.black[shown]
        self._white_keys, self._black_keys = shown[~black], shown[black]
        self._white = self._rows(self._white_keys, settings.white_colour, 1.0)
        self._black = self._rows(self._black_keys, settings.black_colour, BLACK_LENGTH)
        keyboard = layout.keyboard
        strip_px = max(2.0, 0.005 * layout.short_side)
        time0, time1 = (
            (layout.hit_px, layout.hit_px + strip_px)
            if layout.forward
            else (layout.hit_px - strip_px, layout.hit_px)
        )
        strip = layout.box(0, layout.pitch_extent, time0, time1)
        self._shadow = self._cast_shadow()
        base = (0.004, 0.004, 0.005, 1.0)
        self._bed = np.array(
            [[keyboard.x0, keyboard.y0, keyboard.x1, keyboard.y1, *base]], dtype=np.float32
        )
        self._strip = np.array(
            [[strip.x0, strip.y0, strip.x1, strip.y1, *linear_rgba(settings.line_colour)]],
            dtype=np.float32,
        )

    def _cast_shadow(self) -> Floats:
        """What a keyboard that is lifted from the frame's edge casts on the background before it.

        Thin strips, darkest at the keys; none where the keys reach the edge.
        """
        layout = self._scene.layout
        reach = min(layout.covered_px, _SHADOW * layout.time_extent)
        front = layout.time_extent - layout.covered_px if layout.forward else layout.covered_px
        step = reach / _STRIPS * (1 if layout.forward else -1)
        rows = []
        for index in range(_STRIPS if reach >= _STRIPS else 0):
            near, far = front + index * step, front + (index + 1) * step
            box = layout.box(0, layout.pitch_extent, min(near, far), max(near, far))
            left = 1 - (index + 0.5) / _STRIPS
            rows.append((box.x0, box.y0, box.x1, box.y1, 0, 0, 0, 0.6 * left * left))
        return np.array(rows, dtype=np.float32).reshape(-1, 8)

    def _rows(self, keys: np.ndarray, colour: str, length: float) -> Floats:
        """Instances of keys at rest, one row a key."""
        layout = self._scene.layout
        front = layout.keyboard_px * length
        keyboard = layout.keyboard
        near, far = (keyboard.y0, keyboard.y1) if layout.vertical else (keyboard.x0, keyboard.x1)
        time0, time1 = (near, near + front) if layout.forward else (far - front, far)
        unit = layout.pitch_extent / layout.keys.white_keys
        inset = unit * _GAP / 2 if length == 1.0 else 0.0
        rows = np.zeros((len(keys), 14), dtype=np.float32)
        for row, key in zip(rows, keys, strict=True):
            low, high = layout.lane(int(key))
            box = layout.box(low + inset, high - inset, time0, time1)
            row[:4] = box.x0, box.y0, box.x1, box.y1
            row[_SHADE] = self._beside(int(key))
        rows[:, 4:7] = linear_rgba(colour)[:3]
        rows[:, 11] = 0.0 if length == 1.0 else 1.0
        return rows

    def _beside(self, key: int) -> tuple[float, float]:
        """Where black keys reach in over a key from either side, along the pitch axis."""
        low, high = -1e6, 1e6
        for other in (key - 1, key + 1):
            if other in self._black_keys:
                near, far = self._scene.layout.lane(other)
                if near < self._scene.lanes[key].mean():
                    low = far
                else:
                    high = near
        return low, high

    def draw_still(self) -> None:
        """Draw the keyboard at rest."""
        self._flat.draw(self._shadow)
        self._flat.draw(self._bed)
        self._brush.draw(self._white)
        self._brush.draw(self._black)
        self._flat.draw(self._strip)

    def draw(self, moment: Moment) -> None:
        """Draw the keys that are lit, and the black keys over them."""
        scene = self._scene
        lit = self._lit_keys(moment.song_s)
        if not lit[:, 3].any():
            return
        white, black = self._white.copy(), self._black.copy()
        white[:, _LIT], black[:, _LIT] = lit[self._white_keys], lit[self._black_keys]
        self._brush.draw(white[white[:, _LIGHT] > 0])
        # A lit white key has covered the black keys beside it.
        light = np.pad(np.where(scene.black, 0, lit[:, 3]), 1)
        covered = (light[self._black_keys] > 0) | (light[self._black_keys + 2] > 0)
        self._brush.draw(black[covered | (black[:, _LIGHT] > 0)])
        self._flat.draw(self._strip)

    def _lit_keys(self, now: float) -> Floats:
        """Colour and light of each MIDI key, float32 (128, 4).

        The latest of the notes that sound on a key counts, or else the latest that ended.
        """
        scene = self._scene
        index = scene.notes.visible(now - _RELEASE_S, float(np.nextafter(now, np.inf)))
        lit = np.zeros((128, 4), dtype=np.float32)
        if len(index):
            gone_s = np.maximum(now - scene.notes.end_s[index], 0)
            sounds = scene.notes.end_s[index] > now
            # The last assignment stays: those that sound come last, in the order of their onsets.
            order = np.argsort(sounds, kind="stable")
            index, gone_s = index[order], gone_s[order]
            key = scene.notes.key[index]
            lit[key, :3] = scene.colours[index]
            lit[key, 3] = np.clip(1 - gone_s / _RELEASE_S, 0, 1)
        return lit
