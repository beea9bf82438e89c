"""Images in textures."""

from __future__ import annotations

import moderngl
import numpy as np
from PIL import Image

from shared.layout import Rect
from workers.blur import Bytes, Light, premultiplied
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.gl.target import SRGB8_ALPHA8


class ImageQuad:
    """An image that has the size at which it is drawn, pixel on pixel."""

    def __init__(self, paintbox: Paintbox, image: Image.Image) -> None:
        """Upload it.

        Args:
            paintbox: What to draw with.
            image: In RGBA, sRGB, not premultiplied.
        """
        self._size = image.size
        self._texture = paintbox.texture(
            image.size, 4, image.tobytes(), internal_format=SRGB8_ALPHA8
        )
        self._texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._framebuffer = paintbox.context.framebuffer([self._texture])
        self._brush = QuadBrush(paintbox, "picture", {"box": 4, "piece": 4, "opacity": 1})

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


def image_texture(paintbox: Paintbox, pixels: Bytes, *, mipmaps: bool = True) -> moderngl.Texture:
    """A texture of an image that is drawn at any size and any angle, premultiplied.

    Args:
        paintbox: What to draw with.
        pixels: sRGB with straight alpha, uint8 (h, w, 4).
        mipmaps: Whether it may be drawn much smaller than it is.
    """
    height, width = pixels.shape[:2]
    texture = paintbox.texture(
        (width, height), 4, premultiplied(pixels).tobytes(), internal_format=SRGB8_ALPHA8
    )
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
    if mipmaps:
        texture.build_mipmaps()
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
    return texture


def light_texture(paintbox: Paintbox, light: Light) -> moderngl.Texture:
    """A texture of light in 16-bit floats, which holds what is softer than 8 bits can tell.

    Args:
        paintbox: What to draw with.
        light: Linear, float32 (h, w, components).
    """
    height, width, components = light.shape
    data = light.astype(np.float16).tobytes()
    texture = paintbox.texture((width, height), components, data, dtype="f2", alignment=1)
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
    return texture
