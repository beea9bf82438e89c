"""A cover, a logo or any other image in the frame."""

from __future__ import annotations

import math
from typing import Any, Final

import moderngl
import numpy as np

from shared.colour import linear_rgba
from shared.composition import ImageLayer
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.artwork import CORNER, HALO, Artwork, Shape
from workers.layers.placing import place
from workers.layers.scene import Moment, Scene

_ANIMATED_SIZE: Final = 1.4
"""How far an animated size may go beyond its constant before the image gets soft."""
_FALL: Final = 0.04
"""How far its shadow falls, in longer sides."""
_LINEAR: Final = (moderngl.LINEAR, moderngl.LINEAR)
_MIPMAPS: Final = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)


class Picture:
    """An image that stands still unless its settings move."""

    moving = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: ImageLayer) -> None:
        """Find its place; it is opened when layers are first made."""
        self.still: Rect | None = None
        self._settings = settings
        name, shape = settings.image, settings.shape
        if name is None:
            return
        layout = scene.layout
        longer = settings.size / 100 * layout.short_side
        self._art = paintbox.hold(
            ("artwork", name, shape), lambda: _opened(paintbox, scene, name, shape)
        )
        wide, high = (part * longer for part in self._art.proportions(shape))
        box = place(layout, settings, wide, high)
        angle = math.radians(settings.rotation_deg % 360)
        if angle == 0 and self._art.steady:
            box = _on_pixels(box)
        middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        half = ((box.x1 - box.x0) / 2, (box.y1 - box.y0) / 2)
        turned: dict[str, Any] = {"middle": middle, "turn": (math.cos(angle), math.sin(angle))}
        radius = {"whole": 0.0, "rounded": CORNER * longer, "circle": min(half)}[shape]
        red, green, blue, alpha = linear_rgba(settings.border_colour)
        self._brush = QuadBrush(
            paintbox,
            "artwork",
            {"box": 4},
            {
                **turned,
                "half_size": half,
                "piece": self._art.shown(shape),
                "radius": radius,
                "border": settings.border / 100 * layout.short_side,
                "border_colour": (red * alpha, green * alpha, blue * alpha, alpha),
                "opacity": settings.opacity,
            },
            options=["BORDERED"] if settings.border > 0 else [],
        )
        # Where it is not made much smaller it needs no mipmaps.
        shown = self._art.shown(shape)
        texels = (shown[2] - shown[0]) * self._art.image.width
        self._filter = _LINEAR if wide >= texels * math.sqrt(0.5) else _MIPMAPS
        self._box = _around(middle, half, angle, 1.0)
        self._halo: QuadBrush | None = None
        reach = (half[0] + HALO * longer, half[1] + HALO * longer)
        fall = _FALL * longer
        self._halo_box = _around(middle, reach, angle, fall if settings.shadow else 0.0)
        if settings.opacity > 0:
            self.still = Rect(*self._box[0].tolist())
        if settings.opacity > 0 and (settings.shadow > 0 or settings.glow > 0):
            light = settings.glow * settings.opacity
            self._halo = QuadBrush(
                paintbox,
                "halo",
                {"box": 4},
                {
                    **turned,
                    "reach": reach,
                    "fall": (0.0, fall),
                    "shadow": settings.shadow * settings.opacity,
                    "glow": tuple(part * light for part in linear_rgba(settings.glow_colour)[:3]),
                },
            )
            self.still = Rect(*self._halo_box[0].tolist())

    def draw_still(self) -> None:
        """Draw what it casts, and the image."""
        if self.still is None:
            return
        if self._halo is not None:
            self._art.halo(self._settings.shape).use(0)
            self._halo.draw(self._halo_box)
        texture = self._art.texture
        texture.filter = self._filter
        texture.use(0)
        self._brush.draw(self._box)

    def draw(self, moment: Moment) -> None:
        """Nothing moves."""


def _opened(paintbox: Paintbox, scene: Scene, name: str, shape: Shape) -> Artwork:
    """The image, while its file is at hand and it is known what will move.

    It is large enough, and steady enough, for all layers that show it so.
    """
    layers = [
        layer
        for layer in scene.composition.layers
        if isinstance(layer, ImageLayer) and (layer.image, layer.shape) == (name, shape)
    ]
    size = max(
        layer.size * (_ANIMATED_SIZE if "size" in layer.animate else 1.0) for layer in layers
    )
    longer = size / 100 * scene.layout.short_side
    steady = not any(layer.animated for layer in layers)
    return Artwork.open(paintbox, name, longer, shape, steady=steady)


def _on_pixels(box: Rect) -> Rect:
    """A place from one whole pixel to another, where an upright image is sharpest."""
    left, top = round(box.x0), round(box.y0)
    width, height = max(1, round(box.x1 - box.x0)), max(1, round(box.y1 - box.y0))
    return Rect(left, top, left + width, top + height)


def _around(
    middle: tuple[float, float], half: tuple[float, float], angle: float, margin: float
) -> np.ndarray:
    """What a turned rectangle touches, as the row of an instance."""
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    across = half[0] * cosine + half[1] * sine + margin
    down = half[0] * sine + half[1] * cosine + margin
    x, y = middle
    return np.array([[x - across, y - down, x + across, y + down]], dtype=np.float32)
