"""The words as they are sung."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from shared.colour import linear_rgba
from shared.composition import LyricsLayer
from shared.lrc import parse_lrc
from workers.card import wrap
from workers.easing import faded, mixed
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.placing import area_of, place
from workers.layers.scene import Moment, Scene
from workers.lettering import Align, Letterer, Lettering, opposite, set_lines
from workers.lettering.faces import Run, face_for
from workers.music.karaoke import Karaoke, Ladder, Row, lit, rows_of

_NEXT: Final = 0.74
"""Size of lines that come next beside the one that is sung."""
_BELOW: Final = 0.60
"""Size of what stands under a line, such as its translation."""
_SOFT: Final = 0.14
"""Width of the edge of what is sung, in sizes of the letters."""


class _Verse(NamedTuple):
    """A line that was set."""

    block: Lettering
    rows: tuple[Row, ...]


class _Standing(NamedTuple):
    """Where a line stands, and how it is seen there."""

    left: float
    top: float
    scale: float
    opacity: float


class Lyrics:
    """The line that is sung, large, and those that come next beneath it."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: LyricsLayer) -> None:
        """Take the words; each line is set when it is first seen."""
        self._paintbox = paintbox
        self._scene = scene
        self._settings = settings
        layout = scene.layout
        lrc = settings.lrc
        # A renderer has one song.
        self._karaoke = paintbox.keep(
            ("karaoke", lrc),
            lambda: Karaoke(parse_lrc(lrc).lines if lrc else scene.music.lyrics),
        )
        self._size_px = settings.size / 100 * layout.short_side
        area = area_of(layout, settings)
        room_px = area.x1 - area.x0 - 2 * settings.margin / 100 * layout.short_side
        self._widest_px = max(1.0, min(room_px, settings.width * (area.x1 - area.x0)))
        self._tallest_px = area.y1 - area.y0
        self._font = paintbox.font(settings.font) if settings.font is not None else None
        self._colour = linear_rgba(settings.colour)
        self._sung = linear_rgba(settings.sung_colour)
        self.moving = layout.frame if self._karaoke.lines else None
        self._letterer = Letterer(paintbox)
        self._soft_px = max(1.0, _SOFT * self._size_px)
        self._brush = QuadBrush(
            paintbox,
            "lyric",
            {"box": 4, "piece": 4, "colour": 4, "sung": 4, "edge": 2},
            {"soft": self._soft_px},
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the lines that are seen now."""
        now = moment.song_s - self._settings.offset_s
        ladder = self._karaoke.at(now)
        if ladder is None or self._settings.opacity <= 0:
            return
        first = ladder.current if ladder.climbed == 1 else ladder.current - 1
        last = min(ladder.current + self._settings.lines, len(self._karaoke.lines))
        seen = []
        for index in range(max(first, 0), last):
            standing = self._standing(ladder, index)
            opacity = standing.opacity * ladder.opacity * self._settings.opacity
            if opacity > 0:
                seen.append((self._verse(index), index, standing, opacity))
        for verse, _, standing, opacity in seen:
            self._draw_halo(verse, standing, opacity)
        for verse, index, standing, opacity in seen:
            self._draw_rows(verse, index, standing, opacity, now)

    def _verse(self, index: int) -> _Verse:
        size_px, settings = self._size_px, self._settings
        room_px = (self._widest_px, self._tallest_px)
        facts = ("verse", settings.lrc, index, size_px, settings.font, room_px, self._align)
        return self._paintbox.keep(facts, lambda: self._set(index))

    def _set(self, index: int) -> _Verse:
        line, size_px = self._karaoke.lines[index], self._size_px

        def measuring(text: str) -> Callable[[str], float]:
            return face_for(Run(text=text, size_px=size_px), self._font).measure

        rows = rows_of(line, measuring, self._widest_px)
        runs = [(Run(text=row.text, size_px=size_px),) for row in rows]
        for text in line.below:
            small = Run(text=text, size_px=size_px * _BELOW)
            face = face_for(small, self._font)
            broken = wrap(text, face.font, self._widest_px)
            runs += [(Run(text=part, size_px=small.size_px),) for part in broken]
        block = set_lines(
            self._paintbox,
            tuple(runs),
            widest_px=self._widest_px,
            tallest_px=self._tallest_px,
            font=self._settings.font,
            align=self._align,
        )
        return _Verse(block, rows)

    @property
    def _align(self) -> Align:
        """Rows stand beneath each other as the block stands in its area."""
        x = self._settings.x
        return "left" if x < 1 / 3 else "right" if x > 2 / 3 else "centre"

    def _standing(self, ladder: Ladder, index: int) -> _Standing:
        there = self._resting(ladder.current, index)
        if ladder.climbed == 1:
            return there
        before = self._resting(ladder.current - 1, index)
        part = ladder.climbed
        return _Standing(*(a + (b - a) * part for a, b in zip(before, there, strict=True)))

    def _resting(self, current: int, index: int) -> _Standing:
        """Where a line stands at rest while another is sung."""
        settings, lines = self._settings, len(self._karaoke.lines)
        below = range(current + 1, min(current + settings.lines, lines))
        heights = [self._verse(line).block.height_px * _NEXT for line in below]
        # The last lines of a song stand where those before them stood.
        missing = settings.lines - 1 - len(heights)
        nominal = heights[0] if heights else self._verse(current).block.height_px * _NEXT
        sung_px = self._verse(current).block.height_px
        whole = sung_px + sum(heights) + missing * nominal
        scale = 1.0 if index == current else _NEXT
        block = self._verse(index).block
        box = place(self._scene.layout, settings, block.width_px * scale, whole)
        top = box.y0
        if index < current:
            top -= block.height_px * scale
        elif index > current:
            top += sung_px + sum(heights[: index - current - 1])
        seen = 0.0
        if current <= index < current + settings.lines:
            seen = 1.0 if index == current else settings.next_opacity
        return _Standing(float(round(box.x0)), float(round(top)), scale, seen)

    def _draw_halo(self, verse: _Verse, standing: _Standing, opacity: float) -> None:
        halo = self._settings.halo * opacity
        if halo > 0:
            box = self._letterer.halo_box(verse.block, standing.left, standing.top, standing.scale)
            shade = (*opposite(self._colour), halo * self._colour[3])
            self._letterer.put(verse.block.halo, box, shade)

    def _draw_rows(
        self, verse: _Verse, index: int, standing: _Standing, opacity: float, now: float
    ) -> None:
        block, (left, top, scale, _) = verse.block, standing
        wide, tall = block.mask.size
        colour, sung = faded(self._colour, opacity), faded(self._sung, opacity)
        rows = []

        def add(x0: float, y0: float, x1: float, y1: float, *paint: float) -> None:
            """A part of the block, in pixels of it."""
            box = (left + x0 * scale, top + y0 * scale, left + x1 * scale, top + y1 * scale)
            pad = block.pad
            piece = ((x0 + pad) / wide, (y0 + pad) / tall, (x1 + pad) / wide, (y1 + pad) / tall)
            rows.append((*box, *piece, *paint))

        last = len(block.lines) - 1
        for number, place_of in enumerate(block.lines):
            y0 = place_of.y0 if number else -block.pad
            y1 = place_of.y1 if number < last else tall - block.pad
            x0, x1 = -block.pad, wide - block.pad
            if number >= len(verse.rows):
                add(x0, y0, x1, y1, *colour, *colour, 0.0, 1.0)
                continue
            row = verse.rows[number]
            # A row that was too wide was set smaller than it was measured.
            unit = (place_of.x1 - place_of.x0) / max(row.width_px, 1e-6)
            begin, way = (place_of.x1, -unit) if row.right_to_left else (place_of.x0, unit)
            match self._settings.effect:
                case "fill":
                    soft = self._soft_px / max(row.width_px, 1e-6)
                    reached = row.sung_px(now) * (1 + soft) - self._soft_px / 2
                    edge = left + (begin + reached * way) * scale
                    add(x0, y0, x1, y1, *colour, *sung, edge, 1.0 if way > 0 else -1.0)
                case "line":
                    start_s = self._karaoke.lines[index].start_s
                    paint = mixed(colour, sung, lit(start_s, now))
                    add(x0, y0, x1, y1, *paint, *paint, 0.0, 1.0)
                case "word":
                    near = x0 if way > 0 else x1
                    for at, (start_s, end_px) in enumerate(row.words):
                        paint = mixed(colour, sung, lit(start_s, now))
                        far = begin + end_px * way
                        if at == len(row.words) - 1:
                            far = x1 if way > 0 else x0
                        add(min(near, far), y0, max(near, far), y1, *paint, *paint, 0.0, 1.0)
                        near = far
        block.mask.use(0)
        self._brush.draw(np.array(rows, dtype=np.float32))
