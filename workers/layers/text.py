"""A text with a place of its own, which may tell where the song is."""

from __future__ import annotations

import math
from typing import Final

from shared.colour import linear_rgba
from shared.composition import TextLayer
from shared.tokens import TokenPlace, parts_of
from workers.gl.paintbox import Paintbox
from workers.layers.placing import area_of, place
from workers.layers.scene import Moment, Scene
from workers.layers.title import fade
from workers.lettering import Letterer, plain_lines, set_lines
from workers.music.readings import Readings
from workers.text import one_line

LONGEST_TITLE: Final = 200
"""Letters of a title, as many as a composition may give one."""


class Text:
    """Lines of text; what changes is set anew whenever it reads differently."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: TextLayer) -> None:
        """Find out what is written."""
        self._paintbox = paintbox
        self._scene = scene
        self._settings = settings
        self._parts = tuple(parts_of(settings.text))
        # A MIDI file may have a book for its title.
        title = one_line(settings.title or scene.song.title)[:LONGEST_TITLE]
        self._readings = Readings(scene.music, title=title, artist=one_line(settings.artist))
        self._letterer = Letterer(paintbox)
        self._colour = linear_rgba(settings.colour)
        self.moving = scene.layout.frame
        if settings.font is not None:
            paintbox.font(settings.font)

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw what is to be read now."""
        settings, layout = self._settings, self._scene.layout
        until_s = math.inf if settings.until_s is None else settings.until_s
        opacity = fade(moment.video_s, settings.from_s, until_s, settings.fade_s)
        opacity *= settings.opacity
        text = self.text_at(moment.song_s)
        if opacity <= 0 or not text.strip():
            return
        area = area_of(layout, settings)
        room_px = 2 * settings.margin / 100 * layout.short_side
        block = set_lines(
            self._paintbox,
            plain_lines(
                (one_line(line) for line in text.split("\n")),
                settings.size / 100 * layout.short_side,
            ),
            widest_px=area.x1 - area.x0 - room_px,
            tallest_px=area.y1 - area.y0 - room_px,
            font=settings.font,
            align=settings.align,
            tabular=True,
        )
        box = place(layout, settings, block.width_px, block.height_px)
        red, green, blue, alpha = self._colour
        colour = (red, green, blue, alpha * opacity)
        self._letterer.draw(block, round(box.x0), round(box.y0), colour, halo=settings.halo)

    def text_at(self, time_s: float) -> str:
        """What is to be read at a song time."""
        return "".join(
            self._readings.read(part.token, time_s) if isinstance(part, TokenPlace) else part
            for part in self._parts
        )
