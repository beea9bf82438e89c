"""The finish: what is done to a whole frame, in linear light, in this one place.

Bloom is a pyramid: the bright parts of the canvas at a size that is the same for every video,
then halves of halves, each softened, then added up again from the smallest. So it reaches as far
in 4K as in 1080p, and costs little even where a processor draws.
"""

from __future__ import annotations

import math
from typing import Any, Final

import moderngl
import numpy as np

from shared.colour import linear_rgba
from shared.composition import Finish
from workers.gl.noise import NOISE_PX, noise_texture
from workers.gl.paintbox import Paintbox
from workers.gl.painter import REPLACE, QuadBrush
from workers.gl.target import Canvas, Target

_BASE_PX: Final = 270
"""Short side of the largest level of the bloom, at most."""
_LEVELS: Final = 6
_ADD: Final = (moderngl.ONE, moderngl.ONE)
_GRAINS_PER_S: Final = 24
_GRAIN: Final = 1 / 720
"""Size of a grain beside the short side: the grain of 4K is as coarse as that of 720p."""
_NEUTRAL: Final = linear_rgba("#808080")[0]
_UNGRADED: Final = {
    name: Finish.model_fields[name].default
    for name in (
        *("exposure", "contrast", "saturation", "temperature", "tint"),
        *("shadows", "highlights"),
    )
}
"""What leaves colours alone."""


class Finisher:
    """Brings a canvas into a target."""

    def __init__(self, paintbox: Paintbox, canvas: Canvas, target: Target) -> None:
        """Prepare programs and levels."""
        self._canvas, self._target = canvas, target
        width, height = size = paintbox.size
        self._short_px = min(size)
        shrink = max(1, round(self._short_px / _BASE_PX))
        self._levels = [
            Canvas(paintbox.context, (max(1, width // shrink), max(1, height // shrink)))
        ]
        while len(self._levels) < _LEVELS and min(self._levels[-1].size) >= 4:
            wide, high = self._levels[-1].size
            self._levels.append(Canvas(paintbox.context, (wide // 2, high // 2)))
        # Linear sampling takes the mean of two pixels at once.
        taps = max(1, shrink // 2)
        self._bright = QuadBrush(paintbox, "bright", {"box": 4}, options=[f"TAPS {taps}"])
        self._down = QuadBrush(paintbox, "blur", {"box": 4})
        self._up = QuadBrush(paintbox, "blur", {"box": 4}, options=["UP"])
        self._paintbox = paintbox
        self._noise = noise_texture(paintbox)

    def draw(self, settings: Finish, video_s: float) -> None:
        """Fill the target from what the canvas shows at a video time."""
        if settings.bloom > 0:
            self._spread_light(settings)
        self._target.framebuffer.use()
        self._canvas.texture.use(0)
        self._levels[0].texture.use(1)
        self._noise.use(2)
        brush = QuadBrush(
            self._paintbox,
            "finish",
            {"box": 4},
            self._uniforms(settings, video_s),
            options=_options(settings),
        )
        brush.draw(_box(self._target.size), blend=REPLACE)

    def _uniforms(self, settings: Finish, video_s: float) -> dict[str, Any]:
        # Warmer is more red and less blue; pinker is less green.
        warm, pink = settings.temperature, settings.tint
        picture = math.floor(video_s * _GRAINS_PER_S + 1e-6)
        balance = np.array([1 + 0.25 * warm, 1 - 0.18 * pink, 1 - 0.25 * warm])
        return {
            "light": 1,
            "bloom": settings.bloom / sum(_reach(settings) ** n for n in range(len(self._levels))),
            "gain": tuple(balance * 2**settings.exposure),
            "contrast": settings.contrast,
            "saturation": settings.saturation,
            "shadows": _leaning(settings.shadows),
            "highlights": _leaning(settings.highlights),
            "vignette": settings.vignette,
            "grain": settings.grain,
            "shift": (picture * 7919 % NOISE_PX, picture * picture * 104729 % NOISE_PX),
            "noise": 2,
            "grain_px": max(1.0, self._short_px * _GRAIN),
        }

    def _spread_light(self, settings: Finish) -> None:
        """Fill the largest level with the light that bright things throw around them."""
        first = self._levels[0]
        first.framebuffer.use()
        self._canvas.texture.use(0)
        wide, high = first.size
        self._bright.set(
            frame=first.size,
            threshold=settings.bloom_threshold,
            span=(1 / wide, 1 / high),
        )
        self._bright.draw(_box(first.size), blend=REPLACE)
        for larger, smaller in zip(self._levels, self._levels[1:], strict=False):
            self._pass(larger, smaller, up=False, weight=1.0)
        for larger, smaller in reversed(list(zip(self._levels, self._levels[1:], strict=False))):
            self._pass(smaller, larger, up=True, weight=_reach(settings))

    def _pass(self, source: Canvas, target: Canvas, *, up: bool, weight: float) -> None:
        target.framebuffer.use()
        source.texture.use(0)
        wide, high = source.size
        brush = self._up if up else self._down
        brush.set(frame=target.size, texel=(1 / wide, 1 / high), weight=weight)
        brush.draw(_box(target.size), blend=_ADD if up else REPLACE)


def _options(settings: Finish) -> list[str]:
    """What the program has to do."""
    wanted = {
        "BLOOM": settings.bloom > 0,
        "GRADE": any(getattr(settings, name) != plain for name, plain in _UNGRADED.items()),
        "SOFT": settings.tone_mapping == "soft",
        "FILMIC": settings.tone_mapping == "filmic",
        "VIGNETTE": settings.vignette > 0,
        "GRAIN": settings.grain > 0,
    }
    return [option for option, is_wanted in wanted.items() if is_wanted]


def _reach(settings: Finish) -> float:
    """How much a level of the bloom counts beside the one that is twice as sharp."""
    return 0.35 + 0.6 * settings.bloom_radius


def _box(size: tuple[int, int]) -> np.ndarray:
    return np.array([[0, 0, *size]], dtype=np.float32)


def _leaning(colour: str) -> tuple[float, float, float]:
    """What light is multiplied with to lean to a colour; it keeps its brightness."""
    red, green, blue = (part / _NEUTRAL for part in linear_rgba(colour)[:3])
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (red / luma, green / luma, blue / luma) if luma > 0 else (1.0, 1.0, 1.0)
