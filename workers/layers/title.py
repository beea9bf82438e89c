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
from workers.lettering import Letterer, Lettering, opposite, set_lines
from workers.lettering.faces import Run
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


class Title:
    """One or two lines of text that fade in and out, with a thin line between them."""

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
        self._blocks: list[Lettering] = []
        for text, part, tracking in (
            (settings.text or scene.song.title, 1.0, 0.0),
            (settings.artist, _ARTIST, _SPACED),
        ):
            if one_line(text):
                run = Run(text=one_line(text), size_px=size_px * part, tracking=tracking)
                self._blocks.append(
                    set_lines(
                        paintbox,
                        ((run,),),
                        widest_px=(roll.x1 - roll.x0) - 2 * margin,
                        tallest_px=roll.y1 - roll.y0,
                        font=settings.font,
                    )
                )
        # The line is as much smaller as a title that had to be set smaller.
        unit = min([size_px, *(block.height_px / 1.2 for block in self._blocks[:1])])
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


def fade(time_s: float, from_s: float, until_s: float, fade_s: float) -> float:
    """Opacity of something shown from one time until another, 0 to 1, smoothly."""
    if not from_s <= time_s < until_s:
        return 0.0
    if fade_s <= 0:
        return 1.0
    return eased(min((time_s - from_s) / fade_s, (until_s - time_s) / fade_s))
