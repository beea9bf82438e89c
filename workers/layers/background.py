"""The background: a colour, a gradient, an image or a video."""

from __future__ import annotations

import math
from collections.abc import Hashable

import moderngl
import numpy as np

from shared.colour import linear_rgba
from shared.composition import BackgroundLayer
from shared.layout import Layout, Rect
from workers.gl.noise import noise_texture
from workers.gl.paintbox import Paintbox
from workers.gl.painter import REPLACE, QuadBrush
from workers.layers.backdrop import Backdrop, Film, Photograph
from workers.layers.scene import Moment, Scene

_MOST_STOPS = 8
_LINEAR, _MIPMAPS = moderngl.LINEAR, moderngl.LINEAR_MIPMAP_LINEAR
_START = Moment(song_s=0.0, video_s=0.0)


class Background:
    """Fills the frame; only a video moves by itself."""

    still: Rect | None
    moving: Rect | None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: BackgroundLayer) -> None:
        """Prepare the fill."""
        layout = scene.layout
        self.still, self.moving = layout.frame, None
        stops = [(stop.at, stop.colour) for stop in settings.gradient] or [(0.0, settings.colour)]
        colours = [linear_rgba(colour)[:3] for _, colour in stops]
        places = [at for at, _ in stops]
        missing = _MOST_STOPS - len(stops)
        angle = math.radians(settings.gradient_angle_deg)
        along = (math.cos(angle), math.sin(angle))
        # The gradient reaches from corner to corner, whatever its angle.
        length = abs(along[0]) * layout.width + abs(along[1]) * layout.height
        self._picture = self._opened(paintbox, scene, settings)
        if settings.video is not None:
            self.still, self.moving = None, layout.frame
        options = {"GRADIENT": bool(settings.gradient), "VIGNETTE": settings.vignette > 0}
        window = layout.frame
        if self._picture is not None:
            fitted = fit_image(layout, settings.fit, self._picture.aspect)
            window = moved(layout, settings, fitted)
            wide = fitted.x1 - fitted.x0
            self._has_mipmaps = settings.video is None and settings.blur <= 0
            self._wide_px = window.x1 - window.x0
            self._blur = settings.blur / 100 * layout.short_side / wide
            surrounded = not self._picture.opaque or window.within(layout.frame) != layout.frame
            options |= {
                "PICTURE": True,
                "SURROUNDED": surrounded,
                "GRADIENT": surrounded and options["GRADIENT"],
            }
        options["DITHER"] = any(options.values())
        self._noise = noise_texture(paintbox)
        self._brush = QuadBrush(
            paintbox,
            "background",
            {"box": 4},
            {
                "colour": colours[0],
                "stops": colours + [(0.0, 0.0, 0.0)] * missing,
                "places": places + [1.0] * missing,
                "count": len(stops),
                "slope": (along[0] / length, along[1] / length),
                "middle": (layout.width / 2, layout.height / 2),
                "vignette": settings.vignette,
                "window": (window.x0, window.y0, window.x1, window.y1),
                "brightness": 1.0 - settings.dim,
                "noise": 1,
            },
            options=[option for option, is_wanted in options.items() if is_wanted],
        )
        self._box = np.array([[0, 0, layout.width, layout.height]], dtype=np.float32)

    def _opened(
        self, paintbox: Paintbox, scene: Scene, settings: BackgroundLayer
    ) -> Backdrop | None:
        """The image or video, opened when layers are first made, for all that show it."""
        facts = _shown(settings)

        def layers() -> list[BackgroundLayer]:
            every = scene.composition.layers
            return [
                layer
                for layer in every
                if isinstance(layer, BackgroundLayer) and _shown(layer) == facts
            ]

        image, video = settings.image, settings.video
        if video is not None:
            return paintbox.hold(facts, lambda: Film(paintbox, layers(), video))
        if image is not None:
            return paintbox.hold(facts, lambda: Photograph(paintbox, layers(), image))
        return None

    def draw_still(self) -> None:
        """Fill the frame, unless it moves."""
        if self.moving is None:
            self._fill(_START)

    def draw(self, moment: Moment) -> None:
        """Fill the frame with the picture of a video."""
        if self.moving is not None:
            self._fill(moment)

    def _fill(self, moment: Moment) -> None:
        if self._picture is not None:
            texture = self._picture.texture(moment, self._blur)
            # What is not made much smaller needs no mipmaps, which take half as long again.
            far = self._has_mipmaps and self._wide_px < texture.width * math.sqrt(0.5)
            texture.filter = (_MIPMAPS if far else _LINEAR, _LINEAR)
            texture.use(0)
        self._noise.use(1)
        self._brush.draw(self._box, blend=REPLACE)


def _shown(settings: BackgroundLayer) -> Hashable:
    """What is seen of a file, however large and sharp."""
    if settings.video is None:
        return "photograph", settings.image
    timing = (settings.video_start_s, settings.video_speed, settings.video_loop)
    return "film", settings.video, *timing


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


def moved(layout: Layout, settings: BackgroundLayer, fitted: Rect) -> Rect:
    """Where an image lies that is zoomed and panned from where it fits, in pixels.

    One that is to cover the frame goes no further than it can without uncovering it.
    """
    across = _moved(fitted.x0, fitted.x1, layout.width, settings, settings.pan_x)
    down = _moved(fitted.y0, fitted.y1, layout.height, settings, settings.pan_y)
    return Rect(across[0], down[0], across[1], down[1])


def _moved(
    start: float, end: float, extent: float, settings: BackgroundLayer, pan: float
) -> tuple[float, float]:
    """Both edges along one axis of a frame that is ``extent`` long."""
    half = (end - start) / 2 * settings.zoom
    shift = pan * extent
    spare = half - extent / 2
    if settings.fit == "cover" and spare >= 0:
        shift = min(max(shift, -spare), spare)
    return extent / 2 + shift - half, extent / 2 + shift + half
