"""Frames that were encoded, as pictures again."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image


def decoded_frames(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    """The frames of the video from where the container stands, with alpha where there may be any.

    Raises:
        FFmpegError: They cannot be decoded.
    """
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    # In webm there may be alpha, which libav's own decoder of VP9 leaves out.
    if "webm" not in container.format.name or stream.codec_context.name != "vp9":
        yield from container.decode(stream)
        return
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    for packet in container.demux(stream):
        for shown in decoder.decode(packet):
            shown.pts = packet.pts if shown.pts is None else shown.pts
            yield shown


def as_picture(frame: av.VideoFrame) -> Image.Image:
    """A frame as it is to be seen, RGBA where it may be transparent, or else RGB."""
    alpha = frame.format.name.startswith(("yuva", "bgra", "rgba", "pal8"))
    wanted = "rgba" if alpha else "rgb24"
    if frame.format.name.startswith("yuv"):
        # libswscale takes BT.601 for granted where it is not told what was encoded.
        frame = frame.reformat(
            format=wanted,
            src_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
    else:
        frame = frame.reformat(format=wanted)
    return Image.fromarray(frame.to_ndarray())
