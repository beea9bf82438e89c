"""A small picture of soft light, laid over the frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from shared.colour import linear_rgba
from shared.layout import Layout, Rect
from workers.blur import Light
from workers.gl.noise import noise_texture
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.gl.target import Canvas
from workers.layers.scene import blended

_FADES: Final = 0.45
"""Part of an area, at its lower edge, in which light fades to nothing."""


def palette(colours: tuple[str, ...], places: np.ndarray) -> Light:
    """Linear light along some colours, ``places`` 0 (the first) to 1 (the last), (n, 3)."""
    return blended(np.array([linear_rgba(colour)[:3] for colour in colours]), places)


def fading(area: Rect, layout: Layout) -> tuple[float, float]:
    """From where downwards a sky fades, and where it is gone, in pixels.

    One that fills the frame ends nowhere.
    """
    if area.y1 >= layout.height:
        return layout.height * 2.0, layout.height * 3.0
    return area.y1 * (1 - _FADES), area.y1


class Glimmer:
    """A canvas at a fraction of the size of the area that it fills."""

    def __init__(
        self,
        paintbox: Paintbox,
        layout: Layout,
        area: Rect,
        *,
        cell: tuple[float, float],
        strength: float,
        overscan: float = 0.0,
        fan: float = 0.0,
    ) -> None:
        """Prepare it.

        Args:
            paintbox: What to draw with.
            layout: Of the frame.
            area: What it fills, in pixels.
            cell: Width and height of one of its pixels, in parts of the frame's short side.
            strength: What its light is multiplied with.
            overscan: How much of it lies beyond either side of the area, in widths of that.
            fan: How much wider the upper edge shows than the lower one, in widths of the area.
        """
        short = layout.short_side
        across, down = (max(1.0, part * short) for part in cell)
        width, height = area.x1 - area.x0, area.y1 - area.y0
        self.size = (
            max(2, round(width * (1 + 2 * overscan) / across)),
            max(2, round(height / down)),
        )
        self._context = paintbox.context
        self._canvas = paintbox.keep(
            ("glimmer", self.size), lambda: Canvas(paintbox.context, self.size)
        )
        self._noise = noise_texture(paintbox)
        edge = overscan / (1 + 2 * overscan)
        self._brush = QuadBrush(
            paintbox,
            "light",
            {"box": 4},
            {
                "noise": 1,
                "piece": (edge, 0.0, 1 - edge, 1.0),
                "fan": fan,
                "fade": fading(area, layout),
                "strength": strength,
            },
            options=["FANNED"] if fan else [],
        )
        self._box = np.array([[area.x0, area.y0, area.x1, area.y1]], dtype=np.float32)

    def show(self, paint: Callable[[], None]) -> None:
        """Lay over what is drawn into ``fbo`` what ``paint`` draws into the canvas."""
        beneath = self._context.fbo
        self._canvas.framebuffer.use()
        paint()
        beneath.use()
        self._canvas.texture.use(0)
        self._noise.use(1)
        self._brush.draw(self._box)

    def clear(self) -> None:
        """Begin with darkness."""
        self._canvas.framebuffer.clear()
