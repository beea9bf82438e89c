"""Pictures that stand in the frame, as they lie in textures, and what they cast around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import moderngl
import numpy as np
from PIL import Image

from workers.blur import Light, blurred
from workers.gl.image import image_texture, light_texture
from workers.gl.paintbox import Paintbox
from workers.images import image_size, open_image
from workers.logos import draw_logo, is_builtin

Shape = Literal["whole", "rounded", "circle"]

HALO: Final = 0.6
"""How far a halo reaches beyond an image, in its longer sides."""
CORNER: Final = 0.08
"""Radius of round corners in longer sides."""

_HALO_PX: Final = 80
"""Longer side of an image in its halo."""
_SHADOW: Final = 0.055
"""Softness of the shadow in longer sides: the standard deviation."""
_GLOWS: Final = ((0.028, 0.42), (0.075, 0.38), (0.17, 0.30))
"""Softness and share of what makes up the light around it, sharp near it and wide."""
_MOST_PX: Final = 4096
"""Longer side of a texture, at most."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Artwork:
    """An image, decoded once."""

    paintbox: Paintbox
    """What to draw with."""
    image: Image.Image
    """In RGBA."""
    steady: bool
    """Whether it keeps its place and size, and so may lie on whole pixels."""

    @classmethod
    def open(
        cls, paintbox: Paintbox, name: str, longer_px: float, shape: Shape, *, steady: bool
    ) -> Artwork:
        """Open an image while its file is at hand.

        Args:
            paintbox: What to draw with, and where the file is.
            name: Its object key, or that of a built-in logo.
            longer_px: The longer side of what is drawn of it.
            shape: Of what is drawn: a circle shows a square of it.
            steady: Whether it keeps its place and size.

        Raises:
            MediaError: It is no image that can be read.
        """
        wanted = max(1, min(_MOST_PX, round(longer_px)))
        if is_builtin(name):
            return cls(paintbox=paintbox, image=draw_logo(name, wanted), steady=steady)
        path = paintbox.asset(name)
        width, height = image_size(path)
        side = min(width, height) if shape == "circle" else max(width, height)
        least = max(1, round(wanted * min(width, height) / side))
        image = open_image(path, least, least)
        image.thumbnail((_MOST_PX, _MOST_PX), Image.Resampling.LANCZOS)
        return cls(paintbox=paintbox, image=image, steady=steady)

    @cached_property
    def texture(self) -> moderngl.Texture:
        """The image, premultiplied, with mipmaps."""
        return image_texture(self.paintbox, np.asarray(self.image))

    def shown(self, shape: Shape) -> tuple[float, float, float, float]:
        """What is drawn of it: left, top, right, bottom, each 0 to 1."""
        if shape != "circle":
            return 0.0, 0.0, 1.0, 1.0
        width, height = self.image.size
        side = min(width, height)
        across, down = side / width / 2, side / height / 2
        return 0.5 - across, 0.5 - down, 0.5 + across, 0.5 + down

    def proportions(self, shape: Shape) -> tuple[float, float]:
        """Width and height of what is drawn, in its longer side."""
        if shape == "circle":
            return 1.0, 1.0
        width, height = self.image.size
        longer = max(width, height)
        return width / longer, height / longer

    def halo(self, shape: Shape) -> moderngl.Texture:
        """Shadow and light, which reach HALO beyond what is drawn."""
        return self.paintbox.keep(
            ("halo", self, shape), lambda: light_texture(self.paintbox, self._cast(shape))
        )

    def _cast(self, shape: Shape) -> Light:
        width, height = (max(1, round(part * _HALO_PX)) for part in self.proportions(shape))
        solid = _solid(width, height, shape)
        if shape == "whole":
            small = self.image.getchannel("A").resize((width, height), Image.Resampling.BOX)
            solid = np.asarray(small).astype(np.float32) / np.float32(255)
        padded = np.pad(solid, round(HALO * _HALO_PX))
        light = sum(share * blurred(padded, part * _HALO_PX) for part, share in _GLOWS)
        cast: Light = np.stack([blurred(padded, _SHADOW * _HALO_PX), light], axis=-1)
        return cast * _ending(*cast.shape[:2])[..., None]


def _solid(width: int, height: int, shape: Shape) -> Light:
    """How much of each pixel a shape covers, (height, width)."""
    radius = {"whole": 0.0, "rounded": CORNER * _HALO_PX, "circle": _HALO_PX / 2}[shape]
    down, across = np.mgrid[0:height, 0:width] + 0.5
    x = np.abs(across - width / 2) - width / 2 + radius
    y = np.abs(down - height / 2) - height / 2 + radius
    outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) - radius
    covered: Light = np.clip(0.5 - outside, 0, 1).astype(np.float32)
    return covered


def _ending(height: int, width: int) -> Light:
    """1, but falling to 0 towards the edges, so that nothing is cut off there."""
    rim = 0.4 * HALO * _HALO_PX
    ends = []
    for extent in (height, width):
        place = np.arange(extent) + 0.5
        inside = np.clip((np.minimum(place, extent - place) - 1) / rim, 0, 1)
        ends.append(inside * inside * (3 - 2 * inside))
    ending: Light = (ends[0][:, None] * ends[1]).astype(np.float32)
    return ending
