"""Small marks beside the names of platforms, drawn by us in their colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from workers.fonts import open_font

Colour = tuple[int, int, int, int]
Pen = ImageDraw.ImageDraw

_SCALE: Final = 4
"""Drawn this much larger, so that edges come out smooth."""
_WHITE: Final = (255, 255, 255, 255)
_BLACK: Final = (0, 0, 0, 255)


def draw_mark(platform: str, side_px: int) -> Image.Image:
    """The mark of a platform in RGBA, a square of that many pixels."""
    side = max(1, side_px) * _SCALE
    image = _MARKS[platform](side)
    return image.resize((max(1, side_px),) * 2, Image.Resampling.LANCZOS)


def _tile(side: int, fill: Colour, radius: float) -> tuple[Image.Image, Pen]:
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, side - 1, side - 1), radius=radius * side, fill=fill)
    return image, pen


def _youtube(side: int) -> Image.Image:
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)
    box = (0, 0.15 * side, side - 1, 0.85 * side)
    pen.rounded_rectangle(box, radius=0.2 * side, fill=(255, 0, 51, 255))
    pen.polygon([(x * side, y * side) for x, y in ((0.4, 0.34), (0.4, 0.66), (0.68, 0.5))], _WHITE)
    return image


def _instagram(side: int) -> Image.Image:
    # Yellow below on the left, violet above on the right.
    across = (np.arange(side)[None, :] + np.arange(side)[::-1, None]) / (2 * side)
    stops = np.array([[254, 218, 117], [250, 126, 30], [214, 41, 118], [150, 47, 191]])
    bands = [np.interp(across, np.linspace(0, 0.8, 4), stops[:, index]) for index in range(3)]
    image = Image.fromarray(np.stack(bands, axis=2).astype(np.uint8)).convert("RGBA")
    shape, _ = _tile(side, _WHITE, 0.26)
    image.putalpha(shape.getchannel("A"))
    pen, line = ImageDraw.Draw(image), max(1, round(0.075 * side))
    low, high = 0.2 * side, 0.8 * side
    pen.rounded_rectangle((low, low, high, high), 0.18 * side, outline=_WHITE, width=line)
    low, high = 0.345 * side, 0.655 * side
    pen.ellipse((low, low, high, high), outline=_WHITE, width=line)
    pen.ellipse((0.64 * side, 0.28 * side, 0.72 * side, 0.36 * side), fill=_WHITE)
    return image


def _tiktok(side: int) -> Image.Image:
    image, pen = _tile(side, _BLACK, 0.22)
    # A note three times, the colours peeping out beside the white one.
    for away, fill in ((-0.03, (37, 244, 238, 255)), (0.03, (254, 44, 85, 255)), (0.0, _WHITE)):
        x, y = away * side, away * side
        pen.ellipse((0.24 * side + x, 0.5 * side + y, 0.56 * side + x, 0.82 * side + y), fill)
        pen.rectangle((0.46 * side + x, 0.18 * side + y, 0.56 * side + x, 0.66 * side + y), fill)
        pen.pieslice(
            (0.46 * side + x, -0.1 * side + y, 0.98 * side + x, 0.42 * side + y), 90, 180, fill
        )
    hole = (0.34 * side, 0.6 * side, 0.46 * side, 0.72 * side)
    pen.ellipse(hole, _BLACK)
    pen.ellipse((0.6 * side, -0.04 * side, 0.92 * side, 0.28 * side), _BLACK)
    return image


def _twitter(side: int) -> Image.Image:
    image, pen = _tile(side, _BLACK, 0.22)
    pen.line((0.74 * side, 0.24 * side, 0.26 * side, 0.76 * side), _WHITE, round(0.06 * side))
    bar = ((0.22, 0.22), (0.40, 0.22), (0.78, 0.78), (0.60, 0.78))
    pen.polygon([(x * side, y * side) for x, y in bar], _WHITE)
    bar = ((0.305, 0.27), (0.375, 0.27), (0.695, 0.73), (0.625, 0.73))
    pen.polygon([(x * side, y * side) for x, y in bar], _BLACK)
    return image


def _spotify(side: int) -> Image.Image:
    image, pen = _tile(side, (30, 215, 96, 255), 0.5)
    for low, reach, line in ((0.30, 0.60, 0.09), (0.44, 0.50, 0.08), (0.57, 0.40, 0.07)):
        left = (1 - reach) / 2
        box = (left * side, low * side, (1 - left) * side, (low + reach) * side)
        pen.arc(box, 218, 322, _BLACK, max(1, round(line * side)))
    return image


def _website(side: int) -> Image.Image:
    image, pen = _tile(side, (71, 104, 168, 255), 0.5)
    line = max(1, round(0.05 * side))
    low, high = 0.16 * side, 0.84 * side
    pen.ellipse((low, low, high, high), outline=_WHITE, width=line)
    pen.ellipse((0.34 * side, low, 0.66 * side, high), outline=_WHITE, width=line)
    pen.line((low, side / 2, high, side / 2), _WHITE, line)
    return image


def _letter(text: str, fill: Colour) -> Callable[[int], Image.Image]:
    def draw(side: int) -> Image.Image:
        image, pen = _tile(side, fill, 0.5)
        pen.text((side / 2, side / 2), text, _WHITE, open_font(0.62 * side), anchor="mm")
        return image

    return draw


_MARKS: Final[Mapping[str, Callable[[int], Image.Image]]] = MappingProxyType(
    {
        "youtube": _youtube,
        "instagram": _instagram,
        "tiktok": _tiktok,
        "twitter": _twitter,
        "facebook": _letter("f", (8, 102, 255, 255)),
        "spotify": _spotify,
        "soundcloud": _letter("S", (255, 85, 0, 255)),
        "bandcamp": _letter("b", (29, 160, 195, 255)),
        "twitch": _letter("T", (145, 70, 255, 255)),
        "website": _website,
    }
)
