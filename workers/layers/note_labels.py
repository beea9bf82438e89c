"""The names of notes, written on them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import PianoRollLayer
from shared.composition.notes import NoteNames
from workers.gl.paintbox import Paintbox
from workers.layers.scene import Floats, Scene
from workers.lettering.key_names import SMALLEST_PX, KeyNames, inks, name_of

_TALL: Final = 1.15
"""Room that a name needs along upright notes, in ems: its capitals with air around them."""
_AIR: Final = 0.45
"""Air beside a name along lying notes, in ems."""
_HEAD_LIGHT: Final = {"comet": 1.9, "bead": 1.2}
"""How much lighter the heads are that names are written on than the colour of their notes."""


class NoteLabels:
    """Writes names near the end that is struck, where there is room for them.

    While a note sounds its name waits on the line, as long as the rest of the note has room.
    """

    def __init__(
        self, paintbox: Paintbox, scene: Scene, settings: PianoRollLayer, names: NoteNames
    ) -> None:
        """Set the names, at sizes that fit the lanes."""
        self._scene = scene
        layout = scene.layout
        self._vertical = layout.vertical
        widths = (scene.lanes[:, 1] - scene.lanes[:, 0]) * np.float32(1 - settings.gap)
        self._names = KeyNames.fitting(
            paintbox,
            tuple(name_of(key, names, scene.music.lowest_name) for key in range(128)),
            widths,
            most=0.62 if self._vertical else 0.78,
            upright=not self._vertical,
        )
        self._halves = np.maximum(widths / 2, np.float32(1e-3))
        self._ink = linear_rgba(settings.label_colour)
        self._ground = _HEAD_LIGHT.get(settings.shape, 1.0)
        self._headed = settings.shape in _HEAD_LIGHT
        self._hollow = settings.outline
        self._waits = layout.seconds_after <= 0

    def draw(
        self,
        key: NDArray[np.uint8],
        begin: Floats,
        end: Floats,
        half: Floats,
        colours: Floats,
        seen: Floats,
    ) -> None:
        """Write on notes.

        Args:
            key: Of each note, (n,).
            begin: Pixels from the line to where each begins, along the way that notes come from.
            end: The same to where it ends.
            half: Half its width in pixels.
            colours: Linear, (n, 3).
            seen: How many pixels of it, from its beginning, others leave free.
        """
        names, layout = self._names, self._scene.layout
        scale = half / self._halves[key]
        em = names.sizes_px[key] * scale
        need = em * np.float32(_TALL)
        if not self._vertical:
            need = names.extents[key, 0] * scale + em * np.float32(_AIR)
        fits = names.shown[key] & (em >= SMALLEST_PX) & (end - begin >= need) & (seen >= need)
        rows = np.flatnonzero(fits)
        if len(rows) == 0:
            return
        key, begin, end, need = key[rows], begin[rows], end[rows], need[rows]
        room = need
        if self._vertical or self._headed:  # in the middle of what leads
            room = np.maximum(need, np.minimum(2 * half[rows], end - begin))
        start = np.minimum(np.maximum(begin, 0), end - room) if self._waits else begin
        middle = start + 0.5 * room
        time = layout.hit_px - middle if layout.forward else layout.hit_px + middle
        lanes = self._scene.lanes[key]
        x, y = self._scene.bent(lanes.mean(axis=1), time)
        ink = np.broadcast_to(np.asarray(self._ink, dtype=np.float32), (len(rows), 4))
        if not self._hollow:
            ink = inks(colours[rows] * np.float32(self._ground), self._ink)
        scale = scale[rows]
        if layout.curve_px:  # lanes grow narrower towards the middle of a smile's circle
            scale = scale * np.clip(1 - middle / np.float32(layout.curve_px), 0, 1)
        readable = names.sizes_px[key] * scale >= SMALLEST_PX
        names.draw(key[readable], x[readable], y[readable], ink[readable], scale[readable])
