"""Opening images that came from outside."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import MediaError

_MOST_PIXELS: Final = 100_000_000
"""Beyond this an image is refused before it is decoded (100 megapixels)."""


def open_image(path: Path, width: int, height: int) -> Image.Image:
    """An image in RGBA, upright, no larger than it needs to be to cover a frame.

    Raises:
        MediaError: It is no image that can be read, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise MediaError(
                        f"The image is {image.width}x{image.height} pixels; "
                        f"{_MOST_PIXELS // 1_000_000} megapixels is the most."
                    )
                # Decode large JPEGs at a fraction of their size where that is enough.
                image.draft("RGB", (width, height))
                upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as exc:
        raise MediaError(f"The image cannot be read ({exc}); use PNG, JPEG or WebP.") from exc
    scale = max(width / upright.width, height / upright.height)
    if scale < 1:
        size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
        upright = upright.resize(size, Image.Resampling.LANCZOS)
    return upright
