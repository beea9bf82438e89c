"""Opening images that came from outside."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import MediaError

_MOST_PIXELS: Final = 100_000_000
"""Beyond this an image is refused before it is decoded (100 megapixels)."""
_MOST: Final = f"{_MOST_PIXELS // 1_000_000} megapixels is the most"
_KINDS: Final = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
"""What is opened; others may start programs (EPS) or are no pictures. MPO is a phone's JPEG."""
_DEEP: Final = ("I", "I;16", "I;16L", "I;16B", "I;16N")
"""Modes of one channel of 16 bits, which Pillow would cut off at 255."""


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

    Of an animated image it is the first picture.

    Raises:
        MediaError: It is no image that can be read, or too large.
    """
    with _opened(path) as image:
        # Decode large JPEGs at a fraction of their size where that is enough.
        image.draft("RGB", (width, height))
        upright = _as_rgba(ImageOps.exif_transpose(image))
    scale = max(width / upright.width, height / upright.height)
    return upright if scale >= 1 else _scaled(upright, scale)


def fit_image(image: Image.Image, width: float, height: float) -> Image.Image:
    """An image in RGBA scaled to fill as much of a rectangle as its shape allows."""
    return _scaled(image, min(width / image.width, height / image.height))


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Pillow weighs colours by their opacity here, so that what is transparent leaves no fringe.
    return image.resize(size, Image.Resampling.LANCZOS)


def _as_rgba(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP:
        # Scaled as the PNG specification has it: the upper 8 bits (Third Edition, 13.12).
        deep = np.asarray(image).astype(np.int64)
        return Image.fromarray(np.clip(deep >> 8, 0, 255).astype(np.uint8)).convert("RGBA")
    if image.mode == "F":
        raise MediaError("The image holds numbers, not colours; save it with 8 or 16 bits.")
    return image.convert("RGBA")


@cache
def _kinds() -> list[str]:
    Image.init()
    return [kind for kind in _KINDS if kind in Image.OPEN]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            # Of oddities that do no harm: large sizes, palettes with partial transparency,
            # damaged Exif data.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_kinds()) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise MediaError(f"The image is {image.width}x{image.height} pixels; {_MOST}.")
                yield image
    except UnidentifiedImageError as exc:  # its own words name a temporary file
        raise MediaError(
            f"{path.name} is of no kind of image that can be read; use PNG, JPEG or WebP."
        ) from exc
    except Image.DecompressionBombError as exc:  # Pillow's own limit, beyond ours
        raise MediaError(f"The image has far too many pixels; {_MOST}.") from exc
    except (OSError, SyntaxError, ValueError, EOFError) as exc:
        raise MediaError(f"The image cannot be read ({exc}); use PNG, JPEG or WebP.") from exc
