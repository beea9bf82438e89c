"""The picture's fade to black, where a video is cut before the music ends."""

from __future__ import annotations

import numpy as np

from workers.gl.paintbox import Paintbox
from workers.gl.painter import FADE, OVER, QuadBrush
from workers.layers.scene import Moment, Scene


class FadeOut:
    """Darkens what is beneath, or lets it vanish where the background is transparent."""

    still = None

    def __init__(
        self,
        paintbox: Paintbox,
        scene: Scene,
        span_s: tuple[float, float],
        *,
        transparent: bool,
    ) -> None:
        """Prepare the brush.

        Args:
            paintbox: What to draw with.
            scene: Gives the size of the frame.
            span_s: Video times at which it begins, and at which nothing is seen any more.
            transparent: Whether nothing means transparent, or else black.
        """
        self._from_s, self._to_s = span_s
        self._blend = FADE if transparent else OVER
        self.moving = scene.layout.frame
        self._brush = QuadBrush(paintbox, "rect", {"box": 4, "colour": 4})

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Darken the frame."""
        if moment.video_s <= self._from_s:
            return
        gone = min(1.0, (moment.video_s - self._from_s) / max(self._to_s - self._from_s, 1e-6))
        # To the eye, light that falls with the square of the time falls evenly.
        gone = 1.0 - (1.0 - gone) ** 2
        frame = self.moving
        box = (frame.x0, frame.y0, frame.x1, frame.y1)
        self._brush.draw(np.array([[*box, 0, 0, 0, gone]], dtype=np.float32), blend=self._blend)
