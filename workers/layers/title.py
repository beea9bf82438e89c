"""Title and artist at the start of the video."""

from __future__ import annotations

import moderngl

from shared.colour import linear_rgba
from shared.composition import TitleLayer
from shared.layout import Rect
from workers.layers.scene import Moment, Scene
from workers.text import TextBlock, one_line

_SAFE: float = 0.06
"""Distance kept from the edges of the roll, as a fraction of the short side."""


class Title:
    """One or two lines of text that fade in and out."""

    still = None

    def __init__(self, context: moderngl.Context, scene: Scene, settings: TitleLayer) -> None:
        """Set the text."""
        layout = scene.layout
        roll = layout.roll.within(layout.safe_middle)
        self._settings = settings
        written = ((settings.text or scene.song.title, 1.0), (settings.artist, 0.5))
        size_px = settings.size / 100 * layout.short_side
        font = scene.asset(settings.font) if settings.font is not None else None
        widest = (roll.x1 - roll.x0) - 2 * _SAFE * layout.short_side
        lines = [(one_line(text), size_px * part) for text, part in written if one_line(text)]
        self._block = TextBlock(context, layout, lines, widest_px=widest, font=font)
        margin = _SAFE * layout.short_side
        height = self._block.height_px
        top = {
            "top": roll.y0 + margin,
            "centre": (roll.y0 + roll.y1 - height) / 2,
            "bottom": roll.y1 - margin - height,
        }[settings.position]
        left = (roll.x0 + roll.x1 - self._block.width_px) / 2
        self._at = (round(left), round(top))
        self._colour = linear_rgba(settings.colour)
        self.moving = Rect(left, top, left + self._block.width_px, top + height) if lines else None

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the text while it is shown."""
        opacity = fade(
            moment.video_s, self._settings.from_s, self._settings.until_s, self._settings.fade_s
        )
        if opacity > 0:
            red, green, blue, alpha = self._colour
            self._block.draw(*self._at, (red, green, blue, alpha * opacity))


def fade(time_s: float, from_s: float, until_s: float, fade_s: float) -> float:
    """Opacity of something shown from one time until another, 0 to 1, smoothly."""
    if not from_s <= time_s < until_s:
        return 0.0
    if fade_s <= 0:
        return 1.0
    x = min(1.0, (time_s - from_s) / fade_s, (until_s - time_s) / fade_s)
    return x * x * (3 - 2 * x)
