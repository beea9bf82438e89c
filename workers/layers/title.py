"""Title and artist at the start of the video."""

from __future__ import annotations

from typing import Final

import numpy as np

from shared.colour import linear_rgba
from shared.composition import TitleLayer
from shared.layout import Rect
from workers.easing import eased
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.scene import Moment, Scene
from workers.lettering import Letterer, Lettering, opposite, plain_lines, set_lines
from workers.lettering.faces import Run, face_for
from workers.text import one_line

_SAFE: Final = 0.06
"""Distance kept from the edges of the roll, as a fraction of the short side."""
_ARTIST: Final = 0.5
"""Size of the artist beside that of the title."""
_SPACED: Final = 0.06
"""Small letters are spaced out a little, in parts of their size."""
_GAP: Final = 0.24
"""Space above and below the line between both, in sizes of the title."""
_LINE: Final = 0.028
"""How thick that line is."""
_LINE_WIDTH: Final = 1.5
_LINE_OPACITY: Final = 0.7
_HALO: Final = 0.72
_LINES: Final = 3
"""Lines that a long title is broken into, at most."""
_LEAST_SCALE: Final = 0.72
"""A title is set so much smaller before it is broken, and again before it gets one more line."""


class Title:
    """Title and artist, which fade in and out, with a thin line between them."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: TitleLayer) -> None:
        """Set the text."""
        layout = scene.layout
        roll = layout.open.within(layout.safe_middle)
        self._settings = settings
        self._letterer = Letterer(paintbox)
        self._rule = QuadBrush(paintbox, "rect", {"box": 4, "colour": 4}, options=["TAPERED"])
        size_px = settings.size / 100 * layout.short_side
        margin = _SAFE * layout.short_side
        room = (roll.x1 - roll.x0 - 2 * margin, roll.y1 - roll.y0)
        data = paintbox.font(settings.font) if settings.font is not None else None
        title, artist = one_line(settings.text or scene.song.title), one_line(settings.artist)
        lines, scale = _lines_of(title, size_px, room[0], data)
        spaced = size_px * _ARTIST * scale
        self._blocks: list[Lettering] = [
            set_lines(paintbox, runs, widest_px=room[0], tallest_px=room[1], font=settings.font)
            for text, runs in (
                (title, plain_lines(lines, size_px)),
                (artist, ((Run(text=artist, size_px=spaced, tracking=_SPACED),),)),
            )
            if text
        ]
        # Artist and line are as much smaller as a title that had to be set smaller.
        unit = min([size_px, *(block.height_px / len(lines) / 1.2 for block in self._blocks[:1])])
        self._gap = round(_GAP * unit) if len(self._blocks) == 2 else 0
        self._thick = max(1, round(_LINE * unit)) if self._gap else 0
        height = sum(block.height_px for block in self._blocks) + 2 * self._gap + self._thick
        top = {
            "top": roll.y0 + margin,
            "centre": (roll.y0 + roll.y1 - height) / 2,
            "bottom": roll.y1 - margin - height,
        }[settings.position]
        self._middle, self._top = (roll.x0 + roll.x1) / 2, round(top)
        self._half = _LINE_WIDTH * unit
        self._colour = linear_rgba(settings.colour)
        self.moving: Rect | None = None
        if self._blocks:
            pad = max(block.pad + block.coarse for block in self._blocks)
            wide = max(self._half, *(block.width_px / 2 for block in self._blocks)) + pad + 1
            self.moving = Rect(
                self._middle - wide, top - pad - 1, self._middle + wide, top + height + pad + 1
            )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the text while it is shown."""
        settings = self._settings
        opacity = fade(moment.video_s, settings.from_s, settings.until_s, settings.fade_s)
        if opacity <= 0:
            return
        red, green, blue, alpha = self._colour
        colour = (red, green, blue, alpha * opacity)
        top = self._top
        places = []
        for block in self._blocks:
            places.append((block, round(self._middle - block.width_px / 2), top))
            top += block.height_px + 2 * self._gap + self._thick
        # All shades first: that of one line does not dim the other.
        shade = (*opposite(colour), _HALO * colour[3])
        for block, left, above in places:
            self._letterer.put(block.halo, self._letterer.halo_box(block, left, above), shade)
        for block, left, above in places:
            self._letterer.draw(block, left, above, colour)
        if self._gap:
            line = self._top + self._blocks[0].height_px + self._gap
            # It opens as the title fades in.
            half = self._half * opacity
            box = (self._middle - half, line, self._middle + half, line + self._thick)
            paint = (red, green, blue, colour[3] * _LINE_OPACITY)
            self._rule.draw(np.array([[*box, *paint]], dtype=np.float32))


def _lines_of(
    title: str, size_px: float, widest_px: float, data: bytes | None
) -> tuple[list[str], float]:
    """A title in as many lines as it needs to be read.

    Returns:
        The lines, and how much smaller than their size they must be set, at most 1.
    """
    for count in range(1, _LINES + 1):
        lines = _broken(title, count)
        faces = [face_for(run, data) for line in plain_lines(lines, size_px) for run in line]
        scale = min(1.0, max(widest_px, 1.0) / max(1.0, *(face.width() for face in faces)))
        if scale >= _LEAST_SCALE:
            break
    return lines, scale


def _broken(text: str, count: int) -> list[str]:
    """A text in so many lines of about the same length, or fewer where it has too few words."""
    lines = []
    for left in range(count, 1, -1):
        spaces = [place for place, char in enumerate(text) if char == " "]
        if not spaces:
            break
        place = min(spaces, key=lambda place: abs(place - len(text) / left))
        lines.append(text[:place])
        text = text[place + 1 :]
    return [*lines, text]


def fade(time_s: float, from_s: float, until_s: float, fade_s: float) -> float:
    """Opacity of something shown from one time until another, 0 to 1, smoothly."""
    if not from_s <= time_s < until_s:
        return 0.0
    if fade_s <= 0:
        return 1.0
    return eased(min((time_s - from_s) / fade_s, (until_s - time_s) / fade_s))
