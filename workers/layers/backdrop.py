"""The pictures behind everything: an image, or what is on screen of a video at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Final, Protocol

import moderngl
import numpy as np
from PIL import Image

from shared.composition import BackgroundLayer
from workers.blur import as_light, blurred, premultiplied
from workers.footage import Footage
from workers.footage.picture import Pixels
from workers.gl.image import image_texture, light_texture
from workers.gl.paintbox import Paintbox
from workers.images import open_image
from workers.layers.scene import Moment
from workers.logos import draw_logo, is_builtin

_MOST_PX: Final = 8192
"""Longer side of a texture at most: what every graphics card of the last decade can hold."""
_MOST_ZOOM: Final = 2.0
"""An image is decoded for this zoom at most: twice a frame of 4K takes 130 MB already."""
_ANIMATED_ZOOM: Final = math.sqrt(2)
"""How far an animated zoom may go beyond its constant before the image gets soft."""
_SOFT_PX: Final = 2.5
"""Standard deviation of a blur in the pixels that it is computed in: fewer would show."""


class Backdrop(Protocol):
    """A picture to fill the frame with."""

    aspect: float
    """Width to height."""
    opaque: bool
    """Whether nothing shines through it."""

    def texture(self, moment: Moment, blur: float, /) -> moderngl.Texture:
        """What is seen of it, premultiplied.

        Args:
            moment: When.
            blur: Standard deviation of the softness, in widths of the picture.
        """
        ...


class Photograph:
    """An image, decoded once."""

    def __init__(self, paintbox: Paintbox, layers: Sequence[BackgroundLayer], name: str) -> None:
        """Open it while its file is at hand, as large as any of the layers shows it."""
        zoom = max(
            layer.zoom * (_ANIMATED_ZOOM if "zoom" in layer.animate else 1.0) for layer in layers
        )
        width, height = (round(side * min(zoom, _MOST_ZOOM)) for side in paintbox.size)
        self._image = (
            draw_logo(name, max(1, width))
            if is_builtin(name)
            else open_image(paintbox.asset(name), max(1, width), max(1, height))
        )
        self._image.thumbnail((_MOST_PX, _MOST_PX), Image.Resampling.LANCZOS)
        self._paintbox = paintbox
        self._soft: tuple[float, moderngl.Texture] | None = None
        self.aspect = self._image.width / self._image.height
        self.opaque = self._image.getchannel("A").getextrema() == (255, 255)

    def texture(self, _moment: Moment, blur: float, /) -> moderngl.Texture:
        """The image, at every moment."""
        if blur <= 0:
            return self._sharp
        # Only the last: of a blur that moves, as many as the paintbox keeps take gigabytes in 4K.
        if self._soft is None or self._soft[0] != blur:
            self._soft = blur, _softened(self._paintbox, self._image, blur)
        return self._soft[1]

    @cached_property
    def _sharp(self) -> moderngl.Texture:
        return image_texture(self._paintbox, np.asarray(self._image))


class Film:
    """A video, of which one picture at a time is in a texture."""

    def __init__(self, paintbox: Paintbox, layers: Sequence[BackgroundLayer], name: str) -> None:
        """Open it while its file is at hand, as large as any of the layers shows it.

        They all play it alike.
        """
        settings = layers[0]
        width, height = paintbox.size
        zoom = max(_needed(layer, min(width, height)) for layer in layers)
        size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
        self._footage = Footage(paintbox.asset(name), *size)
        self._paintbox = paintbox
        self._start_s, self._speed = settings.video_start_s, settings.video_speed
        self._loops = settings.video_loop
        self._shown: tuple[Pixels, float, moderngl.Texture] | None = None
        wide, high = self._footage.size
        self.aspect = wide / high
        self.opaque = not self._footage.facts.has_alpha

    def texture(self, moment: Moment, blur: float, /) -> moderngl.Texture:
        """What is on screen at a moment of the video that is made."""
        time_s = self._start_s + moment.video_s * self._speed
        pixels = self._footage.frame_at(self._footage.looped(time_s) if self._loops else time_s)
        shown = self._shown
        # While the same picture is on screen it is the same array.
        if shown is None or shown[0] is not pixels or shown[1] != blur:
            if blur > 0:
                texture = _softened(self._paintbox, Image.fromarray(pixels), blur)
            elif shown is None or shown[1] > 0:
                texture = image_texture(self._paintbox, pixels, mipmaps=False)
            else:
                texture = shown[2]
                texture.write(premultiplied(pixels))
            self._shown = shown = pixels, blur, texture
        return shown[2]


def _needed(layer: BackgroundLayer, short_px: float) -> float:
    """How large a layer needs the pictures of a video, beside the frame."""
    zoom = min(layer.zoom, _MOST_ZOOM)
    if layer.blur > 0 and "blur" not in layer.animate:
        # Nobody sees what is lost by scaling it down before it is softened.
        zoom /= max(1.0, layer.blur / 100 * short_px / _SOFT_PX)
    return zoom


def _softened(paintbox: Paintbox, image: Image.Image, blur: float) -> moderngl.Texture:
    """A small texture that is soft when it is drawn large."""
    sigma_px = blur * image.width
    shrink = max(1.0, sigma_px / _SOFT_PX)
    size = (math.ceil(image.width / shrink), math.ceil(image.height / shrink))
    small = image.resize(size, Image.Resampling.BILINEAR) if shrink > 1 else image
    light = as_light(np.asarray(small))
    return light_texture(paintbox, blurred(light, sigma_px * size[0] / image.width))
