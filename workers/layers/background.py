"""The background: a colour, a gradient or an image."""

from __future__ import annotations

import math

import moderngl
import numpy as np

from shared.colour import linear_rgba
from shared.composition import BackgroundLayer
from shared.layout import Layout, Rect
from workers.gl.painter import QuadBrush
from workers.gl.target import SRGB8_ALPHA8
from workers.images import open_image
from workers.layers.scene import Moment, Scene

_MOST_STOPS = 8


class Background:
    """Fills the frame; nothing of it moves."""

    moving = None

    def __init__(self, context: moderngl.Context, scene: Scene, settings: BackgroundLayer) -> None:
        """Prepare the fill."""
        layout = scene.layout
        self.still = layout.frame
        stops = [(stop.at, stop.colour) for stop in settings.gradient] or [(0.0, settings.colour)]
        colours = [linear_rgba(colour)[:3] for _, colour in stops]
        places = [at for at, _ in stops]
        missing = _MOST_STOPS - len(stops)
        angle = math.radians(settings.gradient_angle_deg)
        along = (math.cos(angle), math.sin(angle))
        # The gradient reaches from corner to corner, whatever its angle.
        length = abs(along[0]) * layout.width + abs(along[1]) * layout.height
        self._image: moderngl.Texture | None = None
        window = layout.frame
        if settings.image is not None:
            picture = open_image(scene.asset(settings.image), layout.width, layout.height)
            texture = context.texture(
                picture.size, 4, picture.tobytes(), internal_format=SRGB8_ALPHA8
            )
            texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            texture.repeat_x = texture.repeat_y = False
            texture.build_mipmaps()
            self._image = texture
            window = fit_image(layout, settings.fit, picture.width / picture.height)
        self._brush = QuadBrush(
            context,
            layout,
            "background",
            {"box": 4},
            {
                "stops": colours + [(0.0, 0.0, 0.0)] * missing,
                "places": places + [1.0] * missing,
                "count": len(stops),
                "slope": (along[0] / length, along[1] / length),
                "middle": (layout.width / 2, layout.height / 2),
                "vignette": settings.vignette,
                "window": (window.x0, window.y0, window.x1, window.y1),
                "brightness": 1.0 - settings.dim if self._image is not None else -1.0,
            },
        )
        self._box = np.array([[0, 0, layout.width, layout.height]], dtype=np.float32)

    def draw_still(self) -> None:
        """Fill the frame."""
        if self._image is not None:
            self._image.use(0)
        self._brush.draw(self._box)

    def draw(self, moment: Moment) -> None:
        """Nothing moves."""


def fit_image(layout: Layout, fit: str, aspect: float) -> Rect:
    """Where an image of an aspect ratio (width / height) lies in the frame, in pixels."""
    width, height = float(layout.width), float(layout.height)
    if fit != "stretch":
        wider = aspect > width / height
        if wider == (fit == "cover"):
            width = height * aspect
        else:
            height = width / aspect
    left, top = (layout.width - width) / 2, (layout.height - height) / 2
    return Rect(left, top, left + width, top + height)
