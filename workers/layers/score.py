"""Two staves on a strip of paper, with heads that carry the names of their notes."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared.colour import linear_rgba
from shared.composition import ScoreLayer
from shared.layout import Rect
from workers.easing import faded
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats, QuadBrush, clipped
from workers.layers.scene import Moment, Scene
from workers.lettering.engraving import (
    B_FLAT,
    CELLS,
    CLEFS,
    FINER,
    FLAT,
    OCTAVE,
    SHARP,
    clefs_mask,
    names_mask,
)
from workers.music.staves import BASS, TREBLE, Ints, write_staves

Places = NDArray[np.float64]

# Lengths are in spaces of a staff.
_HEAD: Final = (0.76, 0.58)
"""Half the width and height of a head: larger than engraved, so that its letter can be read."""
_SIGN_AT: Final = 1.35
"""How far the middle of an accidental is before that of its head, …"""
_COLUMN: Final = 0.95
"""… and how far one in the next column before it."""
_LEDGER: Final = 1.2
"""Half the length of a ledger line."""
_LINE: Final = 0.09
"""How thick lines are."""
_BAR_LINE: Final = 0.14
_BAR_AHEAD: Final = 1.5
"""Bar lines stand before the first note of a bar, whose head is where it is struck."""
_NOW: Final = 0.16
_NOW_REACH: Final = 1.8
"""Of the line that is now, and of the light around it."""
_LASTING: Final = 0.30
"""Half the height of the bar that shows how long a note lasts."""
_GLOW: Final = 1.7
"""Reach of the light around a head."""
_FADE: Final = 2.0
"""In which heads fade out before the clefs."""
_SHADOW: Final = 1.0
_IN_HEAD: Final = (0.6, 0.45)
"""The part of a name's cell that lies in a head: nothing is painted beyond."""
_OCTAVE_AT: Final = 1.25
"""How far from its head stands that it is played an octave away."""

_SIDE_BY_SIDE: Final = 100
"""Heads of one key that have room side by side in a wide frame."""
_RELEASE_S: Final = 0.15
"""Time in which a head goes out after its note."""
_STRIKE_S: Final = 0.18
"""Decay of the light of a note that was struck."""
_PAST: Final = 0.34
"""Opacity of what has sounded."""
_WIDE: Final = 1.5
"""Frames less wide than so many heights show less of the song: heads would cover each other."""


class Score:
    """Heads travel from right to left through the line that is now."""

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: ScoreLayer) -> None:
        """Lay out the staves; the notes are written when they are first seen."""
        layout = scene.layout
        self._context = paintbox.context
        self._scene = scene
        self._settings = settings
        # A renderer has one song. In steps, so that they are not written anew where time moves.
        apart_s = 2.0 ** round(math.log2(settings.seconds / _SIDE_BY_SIDE))
        self._staves = paintbox.keep(
            ("staves", apart_s), lambda: write_staves(scene.notes, apart_s)
        )
        room = layout.roll.within(layout.safe)
        height = round(min(settings.height / 100 * layout.short_side, room.y1 - room.y0))
        self._space = space = max(height, 1.0) / self._staves.height
        top = round(room.y0 if settings.position == "top" else room.y1 - height)
        strip = Rect(layout.roll.x0, top, layout.roll.x1, top + height)
        self._strip = strip
        reach = max(2.0, _SHADOW * space)
        self.still = self.moving = Rect(
            strip.x0 - reach, strip.y0 - reach, strip.x1 + reach, strip.y1 + reach
        )
        # A screen has whole pixels: staff lines lie on them.
        self._thick = max(1, round(_LINE * space))
        self._left = room.x0 + CLEFS * space
        right = float(room.x1)
        first = min(self._left + _FADE * space, right)
        self._here = first + settings.now * (right - first)
        wide = min(1.0, layout.width / layout.height / _WIDE)
        self._pace = max(right - first, 1.0) / (settings.seconds * wide)
        edges = (self._left, strip.x1 + _FADE * space, max(1.0, _FADE * space))
        self._paper = QuadBrush(
            paintbox, "paper", {"box": 4, "colour": 4, "shade": 1}, {"reach": reach}
        )
        rect = {"box": 4, "colour": 4}
        self._flat = QuadBrush(paintbox, "rect", rect)
        self._edged = QuadBrush(paintbox, "rect", rect, {"edges": edges}, options=("EDGED",))
        near = (self._here - _NOW_REACH * space, self._here + _NOW_REACH * space)
        self._light = QuadBrush(
            paintbox,
            "rect",
            rect,
            {"edges": (*near, max(1.0, _NOW_REACH * space))},
            options=("EDGED",),
        )
        self._heads = QuadBrush(
            paintbox,
            "head",
            {"box": 4, "colour": 4, "light": 4},
            {"reach": max(3.0, _GLOW * space), "edges": edges},
            options=("EDGED",),
        )
        sprite = {"box": 4, "piece": 4, "colour": 4}
        self._plain = QuadBrush(paintbox, "sprite", sprite)
        self._sprites = QuadBrush(paintbox, "sprite", sprite, {"edges": edges}, options=("EDGED",))
        staves = self._staves
        self._clefs = paintbox.keep(
            ("clefs", space, staves.above, staves.height),
            lambda: paintbox.mask(clefs_mask(space, staves.above, staves.height)),
        )
        self._names = paintbox.keep(
            ("names in heads", space, settings.names),
            lambda: paintbox.mask(names_mask(space, settings.names)),
        )
        self._ink = faded(linear_rgba(settings.ink_colour), settings.opacity)
        self._page = faded(linear_rgba(settings.paper_colour), settings.opacity)
        first_colour = linear_rgba(scene.composition.colouring.palette[0])
        self._now = faded(first_colour, settings.opacity)

    def draw_still(self) -> None:
        """Draw the paper, the lines and the clefs."""
        if self._settings.opacity <= 0:
            return
        strip = self._strip
        paper = [strip.x0, strip.y0, strip.x1, strip.y1, *self._page, 0.4 * self._page[3]]
        self._paper.draw(np.array([paper], dtype=np.float32))
        ink = faded(self._ink, 0.55)
        rows: list[tuple[float, ...]] = []
        for steps, treble in ((TREBLE, True), (BASS, False)):
            rows.extend(
                (strip.x0, y, strip.x1, y + self._thick, *ink)
                for y in self._line(np.array(steps), np.full(len(steps), treble))
            )
        self._flat.draw(np.array(rows, dtype=np.float32))
        wide, tall = self._clefs.size
        left = round(self._left - CLEFS * self._space)
        clefs = [left, strip.y0, left + wide, strip.y0 + tall, 0, 0, 1, 1, *self._ink]
        self._clefs.use(0)
        self._plain.draw(np.array([clefs], dtype=np.float32))

    def _line(self, step: Ints, treble: NDArray[np.bool_]) -> Places:
        """Upper edges of lines in whole pixels."""
        depth = self._staves.depth(step, treble) * self._space
        return np.asarray(np.floor(self._strip.y0 + depth - self._thick / 2 + 0.5))

    def draw(self, moment: Moment) -> None:
        """Draw what travels."""
        if self._settings.opacity <= 0:
            return
        now, staves = moment.song_s, self._staves
        # Heads, their signs and their light reach beyond their times.
        margin_s = 4 * self._space / self._pace
        first = now - (self._here - self._left) / self._pace - margin_s
        last = now + (self._strip.x1 - self._here) / self._pace + margin_s
        index = staves.notes.visible(first, last).astype(np.int64)
        with clipped(self._context, self._strip):
            self._draw_now()
            self._draw_bar_lines(now, first, last)
            self._draw_notes(now, index)

    def _draw_now(self) -> None:
        strip, half = self._strip, max(1.0, _NOW * self._space) / 2
        reach = _NOW_REACH * self._space
        light = (self._here - reach, strip.y0, self._here + reach, strip.y1)
        line = (self._here - half, strip.y0, self._here + half, strip.y1)
        self._light.draw(
            np.array(
                [[*light, *faded(self._now, 0.35)], [*line, *faded(self._now, 0.95)]],
                dtype=np.float32,
            )
        )

    def _draw_bar_lines(self, now: float, first: float, last: float) -> None:
        bars = self._scene.music.bars
        times = bars[slice(*np.searchsorted(bars, (first, last)))]
        x = self._here + (times - now) * self._pace - _BAR_AHEAD * self._space
        ends = self._line(np.array([TREBLE[-1], BASS[0]]), np.array([True, False]))
        half = max(1.0, _BAR_LINE * self._space) / 2
        rows = np.empty((len(x), 8), dtype=np.float32)
        rows[:, 0], rows[:, 2] = x - half, x + half
        rows[:, 1], rows[:, 3] = ends[0], ends[1] + self._thick
        rows[:, 4:] = faded(self._ink, 0.55)
        self._edged.draw(rows)

    def _draw_notes(self, now: float, index: Ints) -> None:
        staves, space = self._staves, self._space
        if not len(index):
            return
        start_s, end_s = staves.notes.start_s[index], staves.notes.end_s[index]
        at = self._here + (start_s - now) * self._pace
        x = at + np.where(staves.beside[index], 2 * _HEAD[0] * space, 0.0)
        depth = staves.depth(staves.step[index], staves.treble[index])
        y = self._strip.y0 + depth * space
        # Times: 1 while it sounds, and how far it has gone out since.
        lit = np.where(now >= start_s, np.clip(1 - (now - end_s) / _RELEASE_S, 0, 1), 0.0)
        past = np.where(now >= start_s, 1 - lit, 0.0)
        struck = np.exp(-np.maximum(now - start_s, 0) / _STRIKE_S)
        seen = 1 - (1 - _PAST) * past
        colour = self._scene.colours[staves.row[index]]
        opacity = self._settings.opacity

        rows = np.empty((len(index), 8), dtype=np.float32)
        half = _LASTING * space
        rows[:, 0], rows[:, 2] = at, self._here + (end_s - now) * self._pace
        rows[:, 1], rows[:, 3] = y - half, y + half
        rows[:, 4:7], rows[:, 7] = colour, (0.34 + 0.36 * lit) * seen * opacity
        self._edged.draw(rows)

        lines, of = staves.ledgers(index)
        rows = np.empty((len(of), 8), dtype=np.float32)
        edge = self._line(lines, staves.treble[index][of])
        rows[:, 0], rows[:, 2] = x[of] - _LEDGER * space, x[of] + _LEDGER * space
        rows[:, 1], rows[:, 3] = edge, edge + self._thick
        rows[:, 4:7] = self._ink[:3]
        rows[:, 7] = 0.7 * self._ink[3] * seen[of]
        self._edged.draw(rows)

        fill = self._ink[:3] + (colour * 1.06 - self._ink[:3]) * lit[:, None]
        rows = np.empty((len(index), 12), dtype=np.float32)
        wide, tall = _HEAD[0] * space, _HEAD[1] * space
        rows[:, 0], rows[:, 2] = x - wide, x + wide
        rows[:, 1], rows[:, 3] = y - tall, y + tall
        rows[:, 4:7], rows[:, 7] = fill, self._ink[3] * seen
        rows[:, 8:11], rows[:, 11] = colour, lit * (0.55 + 0.45 * struck) * opacity
        self._heads.draw(rows)
        self._draw_signs(index, x, y, seen, fill)

    def _draw_signs(self, index: Ints, x: Places, y: Places, seen: Places, fill: Floats) -> None:
        """Names in heads, accidentals before them, and octaves."""
        staves, space = self._staves, self._space
        accidental, octaves = staves.accidental[index], staves.octaves[index]
        parts = []
        if self._settings.names != "none":
            letter = staves.letter[index]
            cell = np.where((letter == 6) & (accidental < 0), B_FLAT, letter)
            # Dark letters on light heads, light ones on dark heads.
            bright = fill @ np.array([0.2126, 0.7152, 0.0722])
            name = np.where(bright[:, None] > 0.18, (0.01, 0.01, 0.012), (1.0, 1.0, 0.98))
            opacity = seen * self._settings.opacity
            parts.append(self._sprite_rows(cell, x, y, name, opacity, _IN_HEAD))
        signs = np.flatnonzero(accidental)
        cell = np.where(accidental[signs] > 0, SHARP, FLAT)
        # They stand before all heads of a chord.
        left = x[signs] - (_SIGN_AT + _COLUMN * staves.column[index][signs]) * space
        left -= np.where(staves.beside[index][signs], 2 * _HEAD[0] * space, 0.0)
        ink = np.broadcast_to(self._ink[:3], (len(signs), 3))
        parts.append(self._sprite_rows(cell, left, y[signs], ink, seen[signs] * self._ink[3]))
        far = np.flatnonzero(octaves)
        cell = OCTAVE + np.minimum(np.abs(octaves[far]), 2) - 1
        above = y[far] - np.sign(octaves[far]) * _OCTAVE_AT * space
        ink = np.broadcast_to(self._ink[:3], (len(far), 3))
        parts.append(self._sprite_rows(cell, x[far], above, ink, seen[far] * self._ink[3]))
        self._names.use(0)
        self._sprites.draw(np.concatenate(parts))

    def _sprite_rows(
        self,
        cell: Ints,
        x: Places,
        y: Places,
        colour: ArrayLike,
        opacity: Places,
        part: tuple[float, float] = (1.0, 1.0),
    ) -> Floats:
        """Cells of the names' texture, or so much of them, with their middles there."""
        wide, tall = part
        half = self._names.height / FINER / 2
        rows = np.empty((len(cell), 12), dtype=np.float32)
        rows[:, 0], rows[:, 2] = x - half * wide, x + half * wide
        rows[:, 1], rows[:, 3] = y - half * tall, y + half * tall
        rows[:, 4], rows[:, 6] = (cell + 0.5 - wide / 2) / CELLS, (cell + 0.5 + wide / 2) / CELLS
        rows[:, 5], rows[:, 7] = 0.5 - tall / 2, 0.5 + tall / 2
        rows[:, 8:11], rows[:, 11] = colour, opacity
        return rows
