"""The last frame of a finished segment, whatever its codec."""

from __future__ import annotations

import io
import zipfile
from collections import deque

import av
from av.error import FFmpegError
from PIL import Image

from shared.errors import RenderError
from workers.decoded import as_picture, decoded_frames


def last_frame(segment: bytes) -> Image.Image:
    """The last frame that a segment shows, RGBA where it may be transparent.

    A GIF's frames are differences, and a later segment does not hold what lies beneath its first
    one: what has not moved since is transparent.

    Raises:
        RenderError: The segment cannot be decoded.
    """
    try:
        if segment[:2] == b"PK":
            return _last_image(segment)
        with av.open(io.BytesIO(segment), "r") as container:
            last = deque(decoded_frames(container), maxlen=1)
            if not last:
                raise RenderError("The segment shows no frame.")
            return as_picture(last[0])
    except (FFmpegError, IndexError, OSError, zipfile.BadZipFile) as exc:
        raise RenderError(f"The segment cannot be decoded: {exc}") from exc


def _last_image(segment: bytes) -> Image.Image:
    with zipfile.ZipFile(io.BytesIO(segment)) as images:
        name = max(images.namelist())
        with images.open(name) as file:
            picture = Image.open(file)
            picture.load()
            return picture
