"""The poster: the one frame that stands for a finished video."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError
from PIL import Image

from shared.errors import RenderError
from shared.plan import StitchSpec, VideoSpec
from workers.decoded import as_picture, decoded_frames
from workers.encode import image_name

POSTER_WIDTH: Final = 1280
"""A wider frame is scaled down to this many pixels."""
_QUALITY: Final = 88
"""Of the JPEG: no artefacts around notes at the size of a thumbnail."""


def make_poster(path: Path, spec: StitchSpec) -> bytes | None:
    """The poster of a finished file as JPEG; what is transparent becomes black.

    Args:
        path: The finished file.
        spec: What it was made from.

    Returns:
        The JPEG; None where no poster was planned, or there is no picture.

    Raises:
        RenderError: The file does not show that frame.
    """
    if spec.video is None or spec.poster_frame is None:
        return None
    frame = min(spec.poster_frame, spec.frames - 1)
    try:
        if spec.container == "zip":
            picture = _image_of(path, frame)
        else:
            picture = _frame_of(path, spec.video, frame)
    except (FFmpegError, OSError, zipfile.BadZipFile) as exc:
        raise RenderError(f"Frame {frame} of the finished video cannot be decoded: {exc}") from exc
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
    picture = picture.convert("RGB")
    if picture.width > POSTER_WIDTH:
        height = max(1, round(picture.height * POSTER_WIDTH / picture.width))
        picture = picture.resize((POSTER_WIDTH, height), Image.Resampling.LANCZOS)
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_QUALITY, optimize=True)
    return jpeg.getvalue()


def _image_of(path: Path, frame: int) -> Image.Image:
    with zipfile.ZipFile(path) as images, images.open(image_name(frame)) as file:
        picture = Image.open(file)
        picture.load()
        return picture


def _frame_of(path: Path, video: VideoSpec, frame: int) -> Image.Image:
    """A frame of a movie or an animation."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base, time = Fraction(stream.time_base or 0), frame / video.fps
        if video.codec != "gif":  # whose frames are differences from the first one on
            # Half a frame later, so that no rounding of the container ends before its key frame.
            at = (time + 1 / video.fps / 2) / base
            container.seek(int(at), stream=stream, backward=True)
        for shown in decoded_frames(container):
            if shown.pts is None:
                continue
            # A GIF and a webm count in ticks that are no frames.
            if abs(shown.pts * base - time) < 1 / video.fps / 2:
                return as_picture(shown)
    raise RenderError(f"The finished video does not show frame {frame}.")
