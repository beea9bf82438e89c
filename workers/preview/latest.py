"""The last frame of a finished segment, whatever its codec."""

from __future__ import annotations

import io
import zipfile
from collections import deque
from collections.abc import Iterator

import av
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from shared.errors import RenderError


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
            last = deque(_decoded(container), maxlen=1)
            if not last:
                raise RenderError("The segment shows no frame.")
            return _picture(last[0])
    except (FFmpegError, IndexError, OSError, zipfile.BadZipFile) as exc:
        raise RenderError(f"The segment cannot be decoded: {exc}") from exc


def _last_image(segment: bytes) -> Image.Image:
    with zipfile.ZipFile(io.BytesIO(segment)) as images:
        name = max(images.namelist())
        with images.open(name) as file:
            picture = Image.open(file)
            picture.load()
            return picture


def _decoded(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    # In webm there may be alpha, which libav's own decoder of VP9 leaves out.
    if "webm" not in container.format.name or stream.codec_context.name != "vp9":
        yield from container.decode(stream)
        return
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    for packet in container.demux(stream):
        yield from decoder.decode(packet)


def _picture(frame: av.VideoFrame) -> Image.Image:
    alpha = frame.format.name.startswith(("yuva", "bgra", "rgba", "pal8"))
    if frame.format.name.startswith("yuv"):
        # libswscale takes BT.601 for granted where it is not told what was encoded.
        frame = frame.reformat(
            format="rgba" if alpha else "rgb24",
            src_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
    else:
        frame = frame.reformat(format="rgba" if alpha else "rgb24")
    return Image.fromarray(frame.to_ndarray())
