"""The names of the chords: that which sounds, or all on their way, alone or with the notes."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np

from shared.colour import linear_rgba
from shared.composition import ChordsLayer
from shared.layout import Rect
from workers.easing import RGBA, eased, mixed
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush, clipped
from workers.layers.placing import area_of, place
from workers.layers.scene import Moment, Scene
from workers.lettering import Letterer, Lettering, set_lines
from workers.lettering.faces import Line, Run
from workers.music.chords import Chord

_CROSSFADE_S: Final = 0.12
"""In which a name takes the place of another."""
_POP: Final = 0.10
_POP_S: Final = 0.07
"""A new name is so much larger at first, and falls to its size by this decay."""
_AT: Final = 0.25
"""Where now is on a strip: there is more to come than to look back at."""
_EDGE: Final = 0.10
"""The part of a strip in which it fades at either end."""
_SMALL: Final = 0.58
"""Size of what is raised beside that of the root."""
_RAISED: Final = 0.30
"""How far it is raised, in sizes of the root."""
_BASS: Final = 0.72
"""Size of the bass after its stroke."""
_QUALITY: Final = re.compile(r"m(?!aj)|dim")
"""What stays on the line: without it the chord would be another."""
_PLAIN: Final = 0.8
"""Size of that."""
_MARK: Final = 0.55
"""Opacity of the mark that is now."""
_HIGH: Final = 1.3
"""Height of a strip in sizes of its letters, without its line."""
_LINE: Final = 0.055
"""How thick the line beneath a name is that shows how long its chord lasts."""
_GAP: Final = 0.22
"""Space between two names, in sizes of their letters."""
_PAST: Final = 0.45
"""Opacity of what has sounded."""


class Chords:
    """One name in its place, or a strip of names that travel from right to left."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: ChordsLayer) -> None:
        """Take the chords of the song."""
        self._paintbox = paintbox
        self._scene = scene
        self._settings = settings
        layout = scene.layout
        self.moving = layout.frame
        self._size_px = settings.size / 100 * layout.short_side
        self._colour = linear_rgba(settings.colour)
        self._next = linear_rgba(settings.next_colour)
        self._letterer = Letterer(paintbox)
        if settings.font is not None:
            paintbox.font(settings.font)
        if settings.form == "strip":
            self._prepare_strip()

    def _prepare_strip(self) -> None:
        settings, layout = self._settings, self._scene.layout
        area = area_of(layout, settings)
        thick = max(1, round(_LINE * self._size_px))
        high = round(_HIGH * self._size_px)
        width = settings.width * (area.x1 - area.x0)
        box = place(layout, settings, width, high + 3 * thick)
        top = round(box.y0)
        self._strip = Rect(box.x0, top, box.x1, top + high + 3 * thick)
        self._thick = thick
        edges = (box.x0, box.x1, max(1.0, _EDGE * width))
        self._letterer = Letterer(self._paintbox, edges=edges)
        self._bars = QuadBrush(
            self._paintbox, "rect", {"box": 4, "colour": 4}, {"edges": edges}, options=("EDGED",)
        )

    def _set(self, chord: Chord, widest_px: float | None = None) -> Lettering:
        area = area_of(self._scene.layout, self._settings)
        return set_lines(
            self._paintbox,
            (chord_line(chord, self._size_px),),
            widest_px=area.x1 - area.x0 if widest_px is None else widest_px,
            tallest_px=area.y1 - area.y0,
            font=self._settings.font,
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the names."""
        if self._settings.opacity <= 0:
            return
        match self._settings.form:
            case "now":
                self._draw_now(moment.song_s)
            case "strip":
                self._draw_strip(moment.song_s)
            case "roll":
                with clipped(self._paintbox.context, self._scene.layout.stage_area):
                    self._draw_beside_notes(moment.song_s)

    def _draw_now(self, now: float) -> None:
        for chord in self._scene.music.chords.chords_between(
            now - _CROSSFADE_S, float(np.nextafter(now, math.inf))
        ):
            opacity = eased((now - chord.start_s) / _CROSSFADE_S)
            opacity *= 1 - eased((now - chord.end_s) / _CROSSFADE_S)
            if opacity <= 0:
                continue
            block = self._set(chord)
            scale = 1 + _POP * math.exp(-(now - chord.start_s) / _POP_S)
            grown = (scale - 1) * max(block.width_px, block.height_px)
            if grown < 0.5:  # less than a pixel only blurs
                scale, grown = 1.0, 0.0
            box = place(self._scene.layout, self._settings, block.width_px, block.height_px)
            left = round(box.x0) - (scale - 1) * block.width_px / 2
            top = round(box.y0) - (scale - 1) * block.height_px / 2
            self._letterer.draw(
                block,
                left,
                top,
                self._painted(self._colour, opacity),
                halo=self._settings.halo,
                scale=scale,
            )

    def _painted(self, colour: RGBA, opacity: float) -> RGBA:
        red, green, blue, alpha = colour
        return red, green, blue, alpha * opacity * self._settings.opacity

    def _draw_strip(self, now: float) -> None:
        settings, strip, thick = self._settings, self._strip, self._thick
        pace = (strip.x1 - strip.x0) / settings.seconds
        here = strip.x0 + _AT * (strip.x1 - strip.x0)
        gap = _GAP * self._size_px
        # The mark that is now, and a line for each chord as long as it lasts.
        rows = [
            (
                *(here - thick / 2, strip.y0, here + thick / 2, strip.y1),
                *self._painted(self._colour, _MARK),
            )
        ]
        names: list[tuple[Lettering, float, RGBA]] = []
        for chord in self._scene.music.chords.chords_between(
            now - _AT * settings.seconds, now + (1 - _AT) * settings.seconds
        ):
            lit = eased((now - chord.start_s) / _CROSSFADE_S)
            past = eased((now - chord.end_s) / _CROSSFADE_S)
            colour = mixed(self._next, self._colour, lit)
            colour = self._painted(colour, 1 - (1 - _PAST) * past)
            start = here + (chord.start_s - now) * pace
            long = (chord.end_s - chord.start_s) * pace - gap
            if long <= 0:
                continue
            block = self._set(chord, widest_px=round(long))
            # A name waits where now is, until the end of its chord takes it along.
            left = max(start, min(here + gap / 2, start + long - block.width_px))
            names.append((block, left, colour))
            rows.append((start, strip.y1 - thick, start + long, strip.y1, *colour))
        self._bars.draw(np.array(rows, dtype=np.float32))
        for block, left, colour in names:
            top = strip.y1 - 3 * thick - block.height_px
            self._letterer.draw(block, left, top, colour, halo=settings.halo)

    def _draw_beside_notes(self, now: float) -> None:
        """Names on their way with the notes; each waits on the line while its chord lasts."""
        settings, layout = self._settings, self._scene.layout
        speed = abs(layout.travel_px_per_s)
        for chord in self._scene.music.chords.chords_between(
            now - layout.seconds_after, now + layout.seconds_ahead
        ):
            lit = eased((now - chord.start_s) / _CROSSFADE_S)
            past = eased((now - chord.end_s) / _CROSSFADE_S)
            colour = mixed(self._next, self._colour, lit)
            block = self._set(chord)
            box = place(layout, settings, block.width_px, block.height_px)
            long = block.height_px if layout.vertical else block.width_px
            # The next name pushes it on.
            ahead_px = max(
                (chord.start_s - now) * speed, min(0.0, (chord.end_s - now) * speed - long)
            )
            near = layout.hit_px + (-ahead_px - long if layout.forward else ahead_px)
            across = (box.x0 + box.x1 if layout.vertical else box.y0 + box.y1) / 2
            x, y = layout.bent(across, near + long / 2)
            self._letterer.draw(
                block,
                round(x - block.width_px / 2),
                round(y - block.height_px / 2),
                self._painted(colour, 1 - (1 - _PAST) * past),
                halo=settings.halo,
            )


def chord_line(chord: Chord, size_px: float) -> Line:
    """A chord's name as a line: a large root, what it is built of smaller and raised."""
    upper, stroke, bass = chord.name.partition("/")
    root = upper.removesuffix(chord.suffix)
    quality = _QUALITY.match(chord.suffix)
    plain = quality[0] if quality else ""
    raised = chord.suffix.removeprefix(plain)
    runs = [Run(text=root, size_px=size_px)]
    if plain:
        runs.append(Run(text=plain, size_px=size_px * _PLAIN))
    if raised:
        rise_px = _RAISED * size_px
        runs.append(Run(text=raised, size_px=size_px * _SMALL, rise_px=rise_px))
    if stroke:
        runs.append(Run(text=stroke + bass, size_px=size_px * _BASS))
    return tuple(runs)
