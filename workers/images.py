"""Opening images that came from outside."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import MediaError

_MOST_PIXELS: Final = 100_000_000
"""Beyond this an image is refused before it is decoded (100 megapixels)."""
_MOST: Final = f"{_MOST_PIXELS // 1_000_000} megapixels is the most"


def image_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of an image as it is shown, upright, without decoding it.

    Raises:
        MediaError: It is no image that can be read, or too large.
    """
    with _opened(path) as image:
        width, height = image.size
        # Orientations 5 to 8 lie on their side (Exif 2.32, tag 0x0112).
        turned = image.getexif().get(0x0112, 1) >= 5
    return (height, width) if turned else (width, height)


def open_image(path: Path, width: int, height: int) -> Image.Image:
    """An image in RGBA, upright, no larger than it needs to be to cover a frame.

    Raises:
        MediaError: It is no image that can be read, or too large.
    """
    with _opened(path) as image:
        # Decode large JPEGs at a fraction of their size where that is enough.
        image.draft("RGB", (width, height))
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    scale = max(width / upright.width, height / upright.height)
    if scale < 1:
        size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
        upright = upright.resize(size, Image.Resampling.LANCZOS)
    return upright


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise MediaError(f"The image is {image.width}x{image.height} pixels; {_MOST}.")
                yield image
    except UnidentifiedImageError as exc:  # its own words name a temporary file
        raise MediaError(
            f"{path.name} is of no kind of image that can be read; use PNG, JPEG or WebP."
        ) from exc
    except Image.DecompressionBombError as exc:  # Pillow's own limit, beyond ours
        raise MediaError(f"The image has far too many pixels; {_MOST}.") from exc
    except (OSError, SyntaxError, ValueError) as exc:
        raise MediaError(f"The image cannot be read ({exc}); use PNG, JPEG or WebP.") from exc
