"""Pictures of previews as files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from PIL import Image

from shared.preview import ImageFormat

MEDIA_TYPES: Final[Mapping[ImageFormat, str]] = MappingProxyType(
    {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
)
"""What they are called over HTTP."""

_OPTIONS: Final[Mapping[ImageFormat, Mapping[str, Any]]] = MappingProxyType(
    {
        # Pillow's default takes two and a half times as long for a quarter less.
        "png": {"compress_level": 1},
        "jpeg": {"quality": 90},
        "webp": {"quality": 90, "method": 2},
    }
)


def fitted(picture: Image.Image, width: int) -> Image.Image:
    """A picture scaled down (Lanczos) to at most ``width`` pixels a row; never up."""
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def over_black(picture: Image.Image) -> Image.Image:
    """A picture without transparency: what shines through is black."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, picture).convert("RGB")


def encoded(picture: Image.Image, image_format: ImageFormat) -> bytes:
    """The file of a picture; JPEG knows no transparency, so there it lies over black."""
    buffer = io.BytesIO()
    shown = over_black(picture) if image_format == "jpeg" else picture
    shown.save(buffer, image_format.upper(), **_OPTIONS[image_format])
    return buffer.getvalue()
