"""An image in a texture, drawn pixel on pixel."""

from __future__ import annotations

import moderngl
import numpy as np
from PIL import Image

from shared.layout import Layout, Rect
from workers.gl.painter import QuadBrush
from workers.gl.target import SRGB8_ALPHA8


class ImageQuad:
    """An image that has the size at which it is drawn."""

    def __init__(self, context: moderngl.Context, layout: Layout, image: Image.Image) -> None:
        """Upload it.

        Args:
            context: The context to draw in.
            layout: Gives the size of the frame.
            image: In RGBA, sRGB, not premultiplied.
        """
        self._size = image.size
        self._texture = context.texture(
            image.size, 4, image.tobytes(), internal_format=SRGB8_ALPHA8
        )
        self._texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._texture.repeat_x = self._texture.repeat_y = False
        self._framebuffer = context.framebuffer([self._texture])
        self._brush = QuadBrush(context, layout, "picture", {"box": 4, "piece": 4, "opacity": 1})

    @property
    def pixels(self) -> moderngl.Framebuffer:
        """The image as something to copy from, where it covers a whole frame."""
        return self._framebuffer

    def place(self, left: int, top: int) -> Rect:
        """What it covers with its top left corner there."""
        return Rect(left, top, left + self._size[0], top + self._size[1])

    def draw(self, left: int, top: int, opacity: float) -> None:
        """Draw it with its top left corner there."""
        box = self.place(left, top)
        self._texture.use(0)
        self._brush.draw(
            np.array([[box.x0, box.y0, box.x1, box.y1, 0, 0, 1, 1, opacity]], dtype=np.float32)
        )
