"""The end card: a still picture that takes the place of everything."""

from __future__ import annotations

import moderngl
from PIL import Image

from shared.branding import EndCard
from workers.card import paint_card
from workers.easing import eased
from workers.gl.image import ImageQuad
from workers.gl.paintbox import Paintbox
from workers.layers.scene import Moment, Scene

CROSSFADE_S: float = 0.4
"""How long the card takes to appear, of its own time; a quarter of a short one."""


class EndCardLayer:
    """A picture of the size of the frame."""

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: EndCard, from_s: float) -> None:
        """Paint it; it is sent to the GPU when it is first seen.

        Args:
            paintbox: What to draw with.
            scene: Gives the frame and the assets.
            settings: What is on it.
            from_s: Video time at which it begins to appear.
        """
        self._paintbox = paintbox
        self.moving = scene.layout.frame
        self._from_s = from_s
        self._fade_s = min(CROSSFADE_S, settings.duration / 4)
        # Assets are at hand only while layers are made.
        layout = scene.layout
        self._image = paint_card(
            settings, layout.width, layout.height, layout.safe_middle, paintbox.asset
        )
        self._quad: ImageQuad | None = None

    @property
    def plate(self) -> moderngl.Framebuffer:
        """The card alone: copying it costs a fortieth of drawing it."""
        return self._sent().pixels

    def covers(self, moment: Moment) -> bool:
        """Whether nothing beneath it is seen."""
        return moment.video_s >= self._from_s + self._fade_s

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw it once it has begun."""
        since_s = moment.video_s - self._from_s
        if since_s < 0:
            return
        self._sent().draw(0, 0, eased(since_s / self._fade_s))

    def _sent(self) -> ImageQuad:
        if self._quad is None:
            self._quad = ImageQuad(self._paintbox, self._image.convert("RGBA"))
            self._image = Image.new("RGB", (1, 1))  # a frame of 4K takes 25 MB
        return self._quad
