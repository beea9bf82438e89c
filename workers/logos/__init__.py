"""The built-in logos, drawn by us at any size: a field of notes, one of which has sprouted.

© midifarm; they stand in the built-in templates until a musician puts in a logo of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

from shared.branding import BUILTIN
from shared.errors import CompositionError
from workers.fonts import open_font

Ink = tuple[int, int, int, int]

_DRAWN_PX: Final = (240, 1200)
"""Everything is drawn larger, so that its edges come out smooth: four times as wide, within these
bounds, and twice at least."""
_NAME: Final = "midifarm"
_WHITE: Final = (255, 255, 255, 255)
_DARK: Final = (16, 20, 38, 255)
_BARS: Final = ((0.30, 0.78), (0.44, 1.0), (0.24, 0.72), (0.52, 0.90))
"""Top and bottom of each note of the mark, as fractions of its height."""
_COLOURS: Final = ((53, 198, 244), (166, 132, 255), (61, 220, 151), (255, 194, 75))
_SPROUT: Final = 2
"""The note that has leaves."""


def is_builtin(name: str) -> bool:
    """Whether an image is drawn by us."""
    return name.startswith(BUILTIN)


def draw_logo(name: str, width_px: int, *, on_light: bool = False) -> Image.Image:
    """A built-in logo in RGBA, that many pixels wide.

    Args:
        name: ``builtin:minimal-logo`` and the like.
        width_px: At least 1.
        on_light: Whether it will stand on a light background; only the end card's asks.

    Raises:
        CompositionError: There is none of that name; the message lists those that exist.
    """
    check_logo(name)
    aspect, draw = _LOGOS[name.removeprefix(BUILTIN)]
    size = (max(1, width_px), max(1, round(width_px / aspect)))
    least, most = _DRAWN_PX
    wide = max(2 * size[0], least, min(4 * size[0], most))
    large = (wide, round(wide / aspect))
    ink = _DARK if on_light else _WHITE
    return draw(*large, ink).resize(size, Image.Resampling.LANCZOS)


def check_logo(name: str) -> None:
    """See that there is a built-in logo of that name.

    Raises:
        CompositionError: There is none; the message lists those that exist.
    """
    if name.removeprefix(BUILTIN) not in _LOGOS:
        there = ", ".join(BUILTIN + logo for logo in _LOGOS)
        raise CompositionError(f"There is no image {name!r}; choose one of {there}.")


def _mark(side: int, *, plain: bool) -> Image.Image:
    """Four notes side by side, the third with two leaves; square."""
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)
    pitch = side / len(_BARS)
    width = pitch * 0.66
    for index, ((top, bottom), colour) in enumerate(zip(_BARS, _COLOURS, strict=True)):
        left = index * pitch + (pitch - width) / 2
        fill: Ink = _WHITE if plain else (*colour, 255)
        box = (left, top * side, left + width, bottom * side)
        pen.rounded_rectangle(box, radius=width / 2, fill=fill)
        if index == _SPROUT:
            middle = left + width / 2
            for away in (-1, 1):
                _leaf(image, (middle, (top + 0.03) * side), side * 0.25, away, fill)
    return image


def _leaf(
    image: Image.Image,
    foot: tuple[float, float],
    length: float,
    away: int,
    fill: Ink,
) -> None:
    """A leaf that grows from its foot, up and to the left (-1) or right (1)."""
    x, y = foot
    tip = (x + away * length * 0.86, y - length * 0.82)
    pen = ImageDraw.Draw(image)
    # Two arcs between foot and tip, as quadratic curves.
    edge: list[tuple[float, float]] = []
    for bend in (-0.38, 0.30):
        middle = ((x + tip[0]) / 2, (y + tip[1]) / 2)
        across = (tip[1] - y, x - tip[0])
        control = (middle[0] + bend * away * across[0], middle[1] + bend * away * across[1])
        curve = [_bezier(foot, control, tip, step / 24) for step in range(25)]
        edge += curve if not edge else curve[::-1]
    pen.polygon(edge, fill=fill)


def _bezier(
    start: tuple[float, float], control: tuple[float, float], end: tuple[float, float], at: float
) -> tuple[float, float]:
    rest = 1 - at
    return (
        rest * rest * start[0] + 2 * rest * at * control[0] + at * at * end[0],
        rest * rest * start[1] + 2 * rest * at * control[1] + at * at * end[1],
    )


def _wordmark(height: float, width: float, ink: Ink) -> Image.Image:
    """The name, fitted into a rectangle."""
    font = open_font(height)
    room = font.getlength(_NAME)
    font = open_font(height * min(1.0, width / room))
    left, top, right, bottom = font.getbbox(_NAME)
    image = Image.new("RGBA", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), _NAME, fill=ink, font=font)
    return image


def _shaded(image: Image.Image, reach: float) -> Image.Image:
    """An image over its own soft shadow, so that white stays readable on anything."""
    shadow = image.getchannel("A").filter(ImageFilter.GaussianBlur(reach))
    dark = Image.new("RGBA", image.size, (0, 0, 0, 0))
    dark.putalpha(shadow.point([min(255, level * 3 // 2) for level in range(256)]))
    return Image.alpha_composite(dark, image)


def _minimal(width: int, height: int, _: Ink) -> Image.Image:
    """Mark and name in a line, white over their own shadow."""
    image = Image.new("RGBA", (width, height))
    pad = height * 0.12
    side = round(height - 2 * pad)
    image.alpha_composite(_mark(side, plain=True), (round(pad), round(pad * 0.6)))
    name = _wordmark(height * 0.62, width - side - 3.4 * pad, _WHITE)
    image.alpha_composite(name, (round(side + 2.2 * pad), round(height * 0.28)))
    return _shaded(image, height * 0.05)


def _social(width: int, height: int, _: Ink) -> Image.Image:
    """The mark in colours on a dark, round badge."""
    image = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(image)
    pen.ellipse((0, 0, width - 1, height - 1), fill=_WHITE)
    rim = width * 0.035
    pen.ellipse((rim, rim, width - 1 - rim, height - 1 - rim), fill=_DARK)
    side = round(width * 0.52)
    place = (round((width - side) / 2), round((height - side) / 2 - height * 0.03))
    image.alpha_composite(_mark(side, plain=False), place)
    return image


def _end_card(width: int, height: int, ink: Ink) -> Image.Image:
    """The mark in colours above the name."""
    image = Image.new("RGBA", (width, height))
    side = round(height * 0.66)
    image.alpha_composite(_mark(side, plain=False), (round((width - side) / 2), 0))
    name = _wordmark(height * 0.30, width * 0.98, ink)
    image.alpha_composite(name, (round((width - name.width) / 2), round(height * 0.74)))
    return image


_LOGOS: Final[Mapping[str, tuple[float, Callable[[int, int, Ink], Image.Image]]]] = (
    MappingProxyType(
        {
            "minimal-logo": (3.6, _minimal),
            "social-logo": (1.0, _social),
            "end-card-logo": (1.35, _end_card),
        }
    )
)
"""Width to height, and how it is drawn."""


@cache
def logo_names() -> tuple[str, ...]:
    """The built-in logos, as branding names them."""
    return tuple(BUILTIN + name for name in _LOGOS)
