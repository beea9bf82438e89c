"""The watermark: an image over the music, in a corner or in the middle."""

from __future__ import annotations

from PIL import Image

from shared.branding import Position, Watermark
from shared.layout import Rect
from workers.gl.image import ImageQuad
from workers.gl.paintbox import Paintbox
from workers.images import fit_image, open_image
from workers.layers.scene import Moment, Scene
from workers.logos import draw_logo, is_builtin

_MARGIN: float = 0.035
"""Distance kept from the edges of the free part of the roll, as a fraction of the short side."""


class WatermarkLayer:
    """An image that stands still, beside the keyboard and clear of what the platform covers."""

    moving = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: Watermark) -> None:
        """Scale the image to the pixels that it will cover."""
        layout = scene.layout
        area, margin = layout.open, _MARGIN * layout.short_side
        room = Rect(area.x0 + margin, area.y0 + margin, area.x1 - margin, area.y1 - margin)
        wide = min(settings.scale * layout.width, max(1.0, room.x1 - room.x0))
        high = max(1.0, room.y1 - room.y0)
        self._opacity = settings.opacity
        self._quad = ImageQuad(paintbox, _sized(paintbox, settings.image_url, wide, high))
        box = self._quad.place(0, 0)
        self._at = _corner(room, settings.position, box.x1, box.y1)
        self.still = self._quad.place(*self._at)

    def draw_still(self) -> None:
        """Draw it."""
        self._quad.draw(*self._at, self._opacity)

    def draw(self, moment: Moment) -> None:
        """Nothing moves."""


def _sized(paintbox: Paintbox, name: str, wide: float, high: float) -> Image.Image:
    if is_builtin(name):
        logo = draw_logo(name, round(wide))
        return logo if logo.height <= high else fit_image(logo, wide, high)
    return fit_image(open_image(paintbox.asset(name), round(wide), 1), wide, high)


def _corner(room: Rect, position: Position, width: float, height: float) -> tuple[int, int]:
    """Where the top left corner of an image of that size lies in a room, in whole pixels."""
    if position == "center":
        left = (room.x0 + room.x1 - width) / 2
        top = (room.y0 + room.y1 - height) / 2
    else:
        left = room.x0 if position.endswith("left") else room.x1 - width
        top = room.y0 if position.startswith("top") else room.y1 - height
    return round(left), round(top)
