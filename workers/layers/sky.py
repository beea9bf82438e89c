"""The sky: northern lights, clouds of a nebula, or stars, moving slowly behind the notes."""

from __future__ import annotations

from typing import Final, Protocol

from shared.composition import SkyLayer
from shared.layout import Rect
from workers.gl.paintbox import Paintbox
from workers.layers.aurora import Aurora
from workers.layers.nebula import Nebula
from workers.layers.scene import Moment, Scene
from workers.layers.stars import Stars

_LEAST_PX: Final = 2.0
"""A lower sky is not drawn."""


class Form(Protocol):
    """What is in the sky."""

    def paint(self, time_s: float) -> None:
        """Add its light to what is there, as it is at a time of its own."""
        ...


class Sky:
    """Light that is added to the upper part of the frame.

    It is soft: its clouds and curtains are drawn at a fraction of the frame's size.
    """

    still: Rect | None
    moving: Rect | None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: SkyLayer) -> None:
        """Prepare what is in it."""
        layout = scene.layout
        area = Rect(0, 0, layout.width, round(layout.height * settings.height))
        self._forms: list[Form] = []
        if area.y1 >= _LEAST_PX and settings.strength > 0:
            match settings.form:
                case "aurora":
                    self._forms = [Aurora(paintbox, layout, area, settings)]
                case "nebula":
                    self._forms = [
                        Nebula(paintbox, layout, area, settings),
                        Stars(paintbox, layout, area, settings, few=True),
                    ]
                case "stars":
                    self._forms = [Stars(paintbox, layout, area, settings)]
        stands = settings.speed == 0
        shown = area if self._forms else None
        self.still, self.moving = (shown, None) if stands else (None, shown)
        self._speed = settings.speed

    def draw_still(self) -> None:
        """Draw a sky that stands still."""
        if self.still is not None:
            self._paint(0.0)

    def draw(self, moment: Moment) -> None:
        """Draw one that moves."""
        if self.moving is not None:
            self._paint(moment.video_s * self._speed)

    def _paint(self, time_s: float) -> None:
        for form in self._forms:
            form.paint(time_s)
