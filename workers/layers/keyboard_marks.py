"""What a keyboard bears beside its keys: their names, and a lamp for the pedal."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import KeyboardLayer
from shared.composition.notes import NoteNames
from shared.pitch_names import LOWEST_SHARP
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats, clipped
from workers.layers.scene import Scene, set_boxes
from workers.lettering.key_names import KeyNames, inks, name_of
from workers.music import Music

_WARMS_UP_S: Final = 0.06
"""Time in which the lamp goes on or off."""
_INK: Final = (0.42, 0.40, 0.38, 1.0)
"""Of names on dark keys, linear."""


class KeyLabels:
    """The names of keys, upright, near their fronts."""

    def __init__(
        self,
        paintbox: Paintbox,
        scene: Scene,
        settings: KeyboardLayer,
        which: Literal["octaves", "white", "all"],
        black_px: float,
    ) -> None:
        """Set the names that are borne."""
        layout = scene.layout
        self._grounds = np.where(
            scene.black[:, None],
            linear_rgba(settings.black_colour)[:3],
            linear_rgba(settings.white_colour)[:3],
        ).astype(np.float32)
        self._light = settings.light
        widths = scene.lanes[:, 1] - scene.lanes[:, 0]
        names = tuple(self._borne(key, scene, settings.label_names, which) for key in range(128))
        self._names = KeyNames.fitting(
            paintbox,
            names,
            widths * np.float32(0.94),
            most=0.52 if layout.vertical else 0.70,
            upright=not layout.vertical,
        )
        # As far from the front edge as from the sides; lying keys have names as long as they are.
        front = np.where(scene.black, black_px * 0.86, layout.keyboard_px * 0.955)
        extent = self._names.extents[:, 1 if layout.vertical else 0]
        depth = front - 0.5 * extent - (0.05 if layout.vertical else 0.16) * widths
        along = layout.keyboard
        if layout.forward:
            time = (along.y0 if layout.vertical else along.x0) + depth
        else:
            time = (along.y1 if layout.vertical else along.x1) - depth
        self._x, self._y = scene.bent(scene.lanes.mean(axis=1), time)
        if not layout.curve_px:  # sharp where they stand still
            half = self._names.extents / 2
            self._x = np.round(self._x - half[:, 0]) + half[:, 0]
            self._y = np.round(self._y - half[:, 1]) + half[:, 1]

    @staticmethod
    def _borne(
        key: int, scene: Scene, names: NoteNames, which: Literal["octaves", "white", "all"]
    ) -> str:
        """The name that a key bears; empty without one."""
        if which != "all" and (scene.black[key] or (which == "octaves" and key % 12)):
            return ""
        # There is no room for the octave on a black key.
        if scene.black[key] and names == "octaves":
            names = "letters"
        # A white key is called B on every keyboard, even where a note on it is a C flat.
        lowest = scene.music.lowest_name if scene.black[key] else LOWEST_SHARP
        return name_of(key, names, lowest)

    def draw(self, keys: NDArray[np.int64], lit: Floats | None = None) -> None:
        """Draw the names of some keys.

        Args:
            keys: MIDI keys.
            lit: Colour of each MIDI key and how far it is pressed, (128, 4); none are without it.
        """
        keys = keys[self._names.shown[keys]]
        if len(keys) == 0:
            return
        ground = self._grounds[keys]
        if lit is not None:
            shine = lit[keys, 3:] * self._light
            ground = ground * (1 - shine) + lit[keys, :3] * shine
        ink = inks(ground, _INK)
        ink[:, 3] = 0.85
        self._names.draw(keys, self._x[keys], self._y[keys], ink)


class PedalLamp:
    """A lamp on the felt at the low end, on while the sustain pedal is down."""

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: KeyboardLayer) -> None:
        """Put it in its place."""
        self._scene = scene
        self._context = paintbox.context
        layout = scene.layout
        keyboard, safe = layout.keyboard, layout.safe
        thick = max(3.0, 0.010 * layout.short_side)
        long_px = 3.4 * thick
        gap = 0.6 * thick
        if layout.vertical:
            low = max(0.0, safe.x0) + 2 * gap
        else:  # low keys are at the bottom
            low = min(layout.height, safe.y1) - 2 * gap - long_px
        back = (
            (keyboard.y0 if layout.vertical else keyboard.x0) + gap
            if layout.forward
            else (keyboard.y1 if layout.vertical else keyboard.x1) - gap - thick
        )
        self._row = np.zeros((1, 9), dtype=np.float32)
        set_boxes(self._row, layout, low, low + long_px, back, back + thick)
        self._row[:, 4:7] = linear_rgba(settings.pedal_colour)[:3]
        self._row[:, 8] = 5 * thick
        self._brush = scene.brush(
            paintbox, "lamp", {"box": 4, "colour": 4, "reach": 1}, area=keyboard
        )

    def draw(self, now: float) -> None:
        """Draw it as it is at a time of the song."""
        layout = self._scene.layout
        self._row[:, 7] = pedal_light(self._scene.music, now)
        with clipped(self._context, layout.frame if layout.curve_px else layout.keyboard):
            self._brush.draw(self._row)


def pedal_light(music: Music, now: float) -> float:
    """How far the sustain pedal's lamp is on, 0 to 1, for the channel where it is most."""
    light = 0.0
    for times, down in music.pedals:
        last = int(np.searchsorted(times, now, side="right")) - 1
        if last >= 0:
            before = bool(down[last - 1]) if last else False
            part = min((now - float(times[last])) / _WARMS_UP_S, 1.0)
            part *= part * (3 - 2 * part)
            light = max(light, before + (bool(down[last]) - before) * part)
    return light
