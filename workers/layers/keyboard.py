"""The keyboard: accurate proportions, keys lit while they sound."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import KeyboardLayer
from shared.keyboard import BLACK_LENGTH, BLACK_WIDTH
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats
from workers.layers.keyboard_marks import KeyLabels, PedalLamp
from workers.layers.piano_roll import settling
from workers.layers.scene import Moment, Scene, depth_axis, set_boxes

_GAP: Final = 0.045
"""Space between two white keys in widths of a white key."""
_SHADOW: Final = 0.035
"""Reach of a lifted keyboard's shadow, as a fraction of the time axis."""
_STRIPS: Final = 32
"""Steps in which it fades."""
_RELEASE_S: Final = 0.12
"""Time in which the light of a released key goes out."""
_BED: Final = (0.004, 0.004, 0.005, 1.0)
"""What is seen between the keys, linear."""
_SPILL: Final = 2.2
"""Reach of the light of a pressed key in white keys."""

# Columns of an instance.
_LIT = slice(7, 11)
_DOWN, _HEAT = 10, 11
_SPILT = slice(12, 18)
_CRISP_PX: Final = 5.0
"""From this width of a white key on keys lie on whole pixels."""


class Keyboard:
    """White keys at the back, black keys and their shadows over them."""

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: KeyboardLayer) -> None:
        """Lay out the keys."""
        layout = scene.layout
        self._scene = scene
        self._settings = settings
        self._strip_px = max(2.0, round(0.006 * layout.short_side))
        strip = self._strip_box(self._strip_px)
        # A shadow falls on what lies beyond the keys, and notes may pass over the line.
        keyboard = layout.keyboard
        whole = layout.covered_px or layout.curve_px
        self.still = layout.frame if whole else _around(keyboard, strip)
        self.moving = layout.frame if layout.curve_px else _around(keyboard, strip)
        depth = depth_axis(layout.direction)
        self._flat = scene.brush(paintbox, "rect", {"box": 4, "colour": 4}, strips=96)
        self._felt = scene.brush(
            paintbox, "felt", {"box": 4, "colour": 4}, {"depth": depth}, strips=96
        )
        self._felt_light = scene.brush(
            paintbox, "felt", {"box": 4, "colour": 4}, {"depth": depth}, options=["GLOWING"]
        )
        self._black_px = float(round(layout.keyboard_px * BLACK_LENGTH))
        attributes = {"box": 4, "base": 3, "lit": 4, "heat": 1, "low_spill": 3, "high_spill": 3}
        uniforms = {"depth": depth, "light": settings.light}
        self._black_brush = scene.brush(paintbox, "key", attributes, uniforms, options=["BLACK"])
        attributes, uniforms = attributes | {"shade": 2}, uniforms | {"black_px": self._black_px}
        self._white_brush = scene.brush(paintbox, "key", attributes, uniforms)
        ends = (keyboard.y0, keyboard.y1) if layout.vertical else (keyboard.x0, keyboard.x1)
        self._ends = ends if layout.forward else ends[::-1]
        """Where keys begin and end along the time axis."""
        shown = np.arange(layout.keys.low, layout.keys.high + 1)
        black = scene.black[shown]
        self._white_keys, self._black_keys = shown[~black], shown[black]
        self._unit = layout.pitch_extent / layout.keys.white_keys
        self._middles = scene.lanes.mean(axis=1)
        self._white = self._rows(self._white_keys, settings.white_colour, layout.keyboard_px)
        self._black = self._rows(self._black_keys, settings.black_colour, self._black_px)
        self._white = np.concatenate([self._white, self._beside()], axis=1)
        self._shadow = self._cast_shadow()
        self._bed = np.array(
            [[keyboard.x0, keyboard.y0, keyboard.x1, keyboard.y1, *_BED]], dtype=np.float32
        )
        # Opaque, so that it can be drawn again over keys that were.
        red, green, blue, alpha = linear_rgba(settings.line_colour)
        felt = np.array((red, green, blue)) * alpha + np.array(_BED[:3]) * (1 - alpha)
        self._strip = np.array([[strip.x0, strip.y0, strip.x1, strip.y1, *felt, 1.0]], np.float32)
        self._labels: KeyLabels | None = None
        if settings.labels != "none":
            self._labels = KeyLabels(paintbox, scene, settings, settings.labels, self._black_px)
        self._lamp = PedalLamp(paintbox, scene, settings) if settings.pedal_light else None

    def _strip_box(self, deep_px: float) -> Rect:
        """What lies along the hit line, on the side of the keys."""
        layout = self._scene.layout
        near, far = layout.hit_px, layout.hit_px + (deep_px if layout.forward else -deep_px)
        return layout.box(0, layout.pitch_extent, min(near, far), max(near, far))

    def _cast_shadow(self) -> Floats:
        """What a keyboard that is lifted from the frame's edge casts on the background before it.

        Thin strips, darkest at the keys; none where the keys reach the edge.
        """
        layout = self._scene.layout
        reach = min(layout.covered_px, _SHADOW * layout.time_extent)
        front = layout.time_extent - layout.covered_px if layout.forward else layout.covered_px
        step = reach / _STRIPS * (1 if layout.forward else -1)
        index = np.arange(_STRIPS if reach >= _STRIPS else 0)
        near, far = front + index * step, front + (index + 1) * step
        rows = np.zeros((len(index), 8), dtype=np.float32)
        set_boxes(
            rows, layout, 0, layout.pitch_extent, np.minimum(near, far), np.maximum(near, far)
        )
        rows[:, 7] = 0.6 * (1 - (index + 0.5) / _STRIPS) ** 2
        return rows

    def _rows(self, keys: NDArray[np.int64], colour: str, length_px: float) -> Floats:
        """Instances of keys at rest, one row a key."""
        layout = self._scene.layout
        back = self._ends[0]
        front = back + (length_px if layout.forward else -length_px)
        low, high = self._edges(keys)
        rows = np.zeros((len(keys), 18), dtype=np.float32)
        set_boxes(rows, layout, low, high, min(back, front), max(back, front))
        rows[:, 4:7] = linear_rgba(colour)[:3]
        return rows

    def _edges(self, keys: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Both edges of keys along the pitch axis, on whole pixels where the stage is straight.

        Gaps are crisp and equally wide so, and a key that is drawn again changes no edge. Keys of
        a few pixels keep their true edges: rounded, they would be far too wide or too narrow.
        """
        low, high = self._scene.lanes[keys].T
        black = self._scene.black[keys]
        if self._scene.layout.curve_px:
            inset = np.where(black, 0, max(0.8, self._unit * _GAP / 2)).astype(np.float32)
            return low + inset, high - inset
        if self._unit < _CRISP_PX:
            inset = np.where(black, 0, self._unit * _GAP / 2).astype(np.float32)
            return low + inset, high - inset
        gap = max(1, round(self._unit * _GAP))
        white_low = np.round(low) + gap // 2
        white_high = np.maximum(np.round(high) - (gap - gap // 2), white_low + 1)
        width = max(1, round(self._unit * BLACK_WIDTH))
        black_low = np.round((low + high - width) / 2)
        return np.where(black, black_low, white_low), np.where(black, black_low + width, white_high)

    def _beside(self) -> Floats:
        """Where black keys reach in over white ones from either side, (white keys, 2)."""
        low, high = np.full(128, 1e6, np.float32), np.full(128, -1e6, np.float32)
        if len(self._black_keys):
            low[self._black_keys], high[self._black_keys] = self._edges(self._black_keys)
        # Higher keys lie towards lower pixels where the pitch axis stands upright.
        before, after = self._white_keys - 1, self._white_keys + 1
        if not self._scene.layout.vertical:
            before, after = after, before
        return np.stack([high[np.clip(before, 0, 127)], low[np.clip(after, 0, 127)]], axis=1)

    def draw_still(self) -> None:
        """Draw the keyboard at rest."""
        self._flat.draw(self._shadow)
        self._flat.draw(self._bed)
        self._white_brush.draw(self._white)
        self._black_brush.draw(self._black)
        self._felt.draw(self._strip)
        if self._labels is not None:
            self._labels.draw(self._white_keys)
            self._labels.draw(self._black_keys)

    def draw(self, moment: Moment) -> None:
        """Draw the keys that are pressed or lit by others, and the black keys over them."""
        lit, heat, shining = self._pressed(moment.song_s)
        if shining.any():
            self._draw_lit(lit, heat, shining)
        if self._lamp is not None:
            self._lamp.draw(moment.song_s)

    def _draw_lit(self, lit: Floats, heat: Floats, shining: Floats) -> None:
        white, black = self._white.copy(), self._black.copy()
        again = np.zeros(130, dtype=np.bool_)  # a place more at either end
        for keys, rows in ((self._white_keys, white), (self._black_keys, black)):
            rows[:, _LIT] = lit[keys]
            rows[:, _HEAT] = heat[keys]
            rows[:, _SPILT] = self._spilt(rows, lit, shining)
            again[keys + 1] = (rows[:, _DOWN] > 0) | (rows[:, _SPILT] > 0).any(axis=1)
        self._white_brush.draw(white[again[self._white_keys + 1]])
        # A white key has covered the black keys beside it.
        again[self._black_keys + 1] |= again[self._black_keys] | again[self._black_keys + 2]
        self._black_brush.draw(black[again[self._black_keys + 1]])
        self._felt.draw(self._strip)
        self._felt_light.draw(self._on_felt(lit, shining))
        if self._labels is not None:
            for keys in (self._white_keys, self._black_keys):
                self._labels.draw(keys[again[keys + 1]], lit)

    def _pressed(self, now: float) -> tuple[Floats, Floats, Floats]:
        """What each MIDI key does.

        The latest of the notes that sound on a key counts, or else the latest that ended.

        Returns:
            Its colour and how far it is down, (128, 4); how recently it was struck, 1 to 0,
            (128,); how brightly it shines on others, (128,).
        """
        scene, settings = self._scene, self._settings
        index = scene.notes.visible(now - _RELEASE_S, float(np.nextafter(now, np.inf)))
        lit = np.zeros((128, 4), dtype=np.float32)
        heat, shining = np.zeros(128, dtype=np.float32), np.zeros(128, dtype=np.float32)
        if len(index):
            # The last assignment stays: those that sound come last, in the order of their onsets.
            sounds = scene.notes.end_s[index] > now
            index = np.concatenate([index[~sounds], index[sounds]])
            latest = np.zeros(128, dtype=np.intp)
            key = scene.notes.key[index]
            latest[key] = index
            key = np.unique(key)
            index = latest[key]
            gone_s = np.maximum(now - scene.notes.end_s[index], 0)
            bright = settling(now - scene.notes.start_s[index])
            lit[key, :3] = scene.colours[index]
            lit[key, 3] = np.clip(1 - gone_s / _RELEASE_S, 0, 1)
            shining[key] = lit[key, 3] * bright
            least = settling(np.array([1e9]))
            heat[key] = (bright - least) / (1 - least)
        for colour, black in ((settings.pressed_white, False), (settings.pressed_black, True)):
            if colour is not None:
                lit[scene.black == black, :3] = linear_rgba(colour)[:3]
        return lit, heat, shining

    def _spilt(self, rows: Floats, lit: Floats, shining: Floats) -> Floats:
        """The light on both edges of keys from the pressed keys around them, (n, 6)."""
        down = np.flatnonzero(shining)
        source = lit[down, :3] * (self._settings.spill * 1.5 * shining[down, None])
        edges = rows[:, (0, 2) if self._scene.layout.vertical else (1, 3)]
        far = (edges[:, :, None] - self._middles[down]) / np.float32(self._unit * _SPILL)
        fall = np.maximum(1 - far * far, 0) ** 2
        spilt: Floats = (fall @ source).reshape(-1, 6)
        return spilt

    def _on_felt(self, lit: Floats, shining: Floats) -> Floats:
        """The light of pressed keys on the felt, one row a key."""
        layout = self._scene.layout
        down = np.flatnonzero(shining)
        rows = np.empty((len(down), 8), dtype=np.float32)
        strip = self._strip_box(2.5 * self._strip_px)
        time = (strip.y0, strip.y1) if layout.vertical else (strip.x0, strip.x1)
        reach = 1.7 * self._unit
        middle = self._middles[down]
        set_boxes(rows, layout, middle - reach, middle + reach, *time)
        rows[:, 4:7] = lit[down, :3]
        rows[:, 7] = shining[down] * self._settings.spill * 3.6
        return rows


def _around(one: Rect, other: Rect) -> Rect:
    """The smallest rectangle that both lie in."""
    return Rect(
        min(one.x0, other.x0),
        min(one.y0, other.y0),
        max(one.x1, other.x1),
        max(one.y1, other.y1),
    )
