"""Small pictures: thumbnails of styles and posters of videos, scaled down for who shows many.

API processes open no media of users; workers do that. What is scaled here we have made ourselves:
the thumbnails come with the program, and posters are JPEGs that a worker has encoded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Query
from PIL import Image, JpegImagePlugin, WebPImagePlugin
from starlette.responses import Response

from shared.errors import MediaError

_PLUGINS: Final = (JpegImagePlugin, WebPImagePlugin)
"""Loaded at the start: Pillow looks through those of all formats for one that is not."""
_AT_ONCE: Final = 2
"""Pictures scaled at a time: each takes a processor for 5 to 50 ms, and requests want one too."""
_MOST_KEPT: Final = 64
"""Scaled pictures that are kept, of up to 50 kB: ten styles in a few widths."""
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "jpeg": {"quality": 80},
    "webp": {"quality": 80, "method": 2},  # half the time of the usual method, 5 % more bytes
}

SCALED_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": {"image/jpeg": {}, "image/webp": {}}},
    304: {"description": "You have it already."},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a request wants of a picture."""

    width: int | None
    """Pixels per row, at most; as many as there are without it."""
    image_format: Literal["jpeg", "webp"]
    """What it is to be."""

    @property
    def is_whole(self) -> bool:
        """Whether the picture is wanted as it is stored."""
        return self.width is None and self.image_format == "jpeg"

    def etag(self, name: str) -> str:
        """The ETag of a picture of this scale.

        Args:
            name: Of the picture as it is stored; another one has another.
        """
        return f'"{name}"' if self.is_whole else f'"{name}-{self.width}.{self.image_format}"'

    def response(self, picture: bytes, etag: str, cache_control: str) -> Response:
        """The answer with a scaled picture."""
        headers = {
            "ETag": etag,
            "Cache-Control": cache_control,
            "X-Content-Type-Options": "nosniff",
        }
        return Response(picture, 200, headers, f"image/{self.image_format}")


async def _scale(
    width: Annotated[
        int | None,
        Query(ge=16, le=1280, description="Pixels per row, at most; it is never enlarged."),
    ] = None,
    image_format: Annotated[
        Literal["jpeg", "webp"], Query(alias="format", description="Of the image.")
    ] = "jpeg",
) -> Scale:
    return Scale(width=width, image_format=image_format)


To = Annotated[Scale, Depends(_scale)]
"""A route's parameter: the scale that its request wants."""


class Scaler:
    """Scales pictures beside the event loop, a few at a time."""

    def __init__(self) -> None:
        self._room = CapacityLimiter(_AT_ONCE)
        self._kept = lru_cache(_MOST_KEPT)(scaled)

    async def scale(self, picture: bytes, scale: Scale, *, is_kept: bool = False) -> bytes:
        """A picture as it is wanted.

        Args:
            picture: A JPEG of our own.
            scale: What is wanted.
            is_kept: Whether it is one of few, and asked for often.

        Raises:
            MediaError: It is damaged.
        """
        if scale.is_whole:
            return picture
        work = self._kept if is_kept else scaled
        return await to_thread.run_sync(work, picture, scale, limiter=self._room)


def scaled(picture: bytes, scale: Scale) -> bytes:
    """A JPEG of our own as it is wanted, never enlarged.

    Raises:
        MediaError: It is damaged.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as image:
            width = min(scale.width or image.width, image.width)
            if width == image.width and scale.image_format == "jpeg":
                return picture
            # Decoded at a half, a quarter or an eighth of its size where that suffices.
            image.thumbnail((width, image.height))
            target = io.BytesIO()
            image.save(target, scale.image_format, **_OPTIONS[scale.image_format])
    except OSError as exc:
        raise MediaError("The picture is damaged.") from exc
    return target.getvalue()
