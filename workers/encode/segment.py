"""Encoding a chunk into a segment that can be stitched without encoding it again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import av
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from shared.codecs import CODEC_NAMES, VideoCodec
from shared.errors import EncodeError
from shared.plan import VideoSpec
from shared.timebase import FrameRange
from workers.encode import gif, hardware, png, prores, svt_av1, vp9, x264, x265
from workers.encode.instructions import ENCODER_THREADS
from workers.encode.scheduling import ordinary_scheduling
from workers.encode.settings import EncoderSettings

if TYPE_CHECKING:
    Packet = av.Packet[Any]  # generic to the type checker alone

_FAMILIES: Final[Mapping[VideoCodec, Callable[[VideoSpec, int], EncoderSettings]]] = (
    MappingProxyType(
        {
            "h264": x264.settings,
            "h265": x265.settings,
            "vp9": vp9.settings,
            "av1": svt_av1.settings,
            "prores_4444": prores.settings,
        }
    )
)


def encoder_settings(video: VideoSpec, frames: int) -> EncoderSettings:
    """The encoder of a codec that is kept in tracks: in hardware if so wanted and at hand.

    Raises:
        EncodeError: The rate factor is not known.
    """
    return hardware.settings(video, frames) or _FAMILIES[video.codec](video, frames)


def has_lead_in(video: VideoSpec, span: FrameRange) -> bool:
    """Whether encoding begins with the frame before: a GIF's frames are differences."""
    return video.codec == "gif" and span.start > 0


def segment_frames(video: VideoSpec, span: FrameRange) -> range:
    """The frames to draw for a segment: those of the span, and its lead-in if it has one."""
    return range(span.start - has_lead_in(video, span), span.stop)


def add_video_stream(
    container: av.container.OutputContainer, video: VideoSpec, frames: int
) -> av.VideoStream:
    """Add a stream, its encoder open, for one closed group of ``frames`` frames.

    Raises:
        EncodeError: The encoder does not take these settings.
    """
    chosen = encoder_settings(video, frames)
    stream = cast("av.VideoStream", container.add_stream(chosen.name, rate=video.fps))
    stream.time_base = 1 / video.fps
    encoder = stream.codec_context
    encoder.width, encoder.height = video.width, video.height
    encoder.pix_fmt = chosen.pixel_format
    encoder.time_base = 1 / video.fps
    encoder.thread_count = ENCODER_THREADS
    encoder.thread_type = "SLICE"
    encoder.colorspace = Colorspace.ITU709
    encoder.color_range = ColorRange.MPEG
    encoder.color_primaries = ColorPrimaries.BT709
    encoder.color_trc = ColorTrc.BT709
    if chosen.tag is not None:
        encoder.codec_tag = chosen.tag
    encoder.options = dict(chosen.options)
    try:
        with ordinary_scheduling():
            encoder.open()
    except (FFmpegError, ValueError) as exc:
        raise EncodeError(
            f"{chosen.name} cannot encode {video.width}x{video.height}: {exc}"
        ) from exc
    if encoder.options:
        raise EncodeError(f"{chosen.name} did not understand {sorted(encoder.options)}.")
    return stream


def encode_segment(pictures: Iterable[av.VideoFrame], video: VideoSpec, span: FrameRange) -> bytes:
    """Encode the frames of a chunk into a file in memory.

    ============  =========================================================================
    codec         segment
    ============  =========================================================================
    h264, h265,   mp4 with exact timestamps that begin at 0 (h265: ``hvc1``)
    av1, vp9
    vp9 + alpha   webm, whose packets carry the alpha as side data; times rounded to 1 ms
    prores_4444   mov
    gif           GIF without a loop: its header, then as many frames as the span has. In all
                  but the first segment, the first frame is a difference to the frame before,
                  and ``gif.HEADER_BYTES`` are to be left out of the first packet when joining;
                  libav hands out the trailer (``;``) at the end of the last packet
    png           zip of stored files ``frame_000000.png``, numbered over the whole video
    ============  =========================================================================

    Args:
        pictures: The frames of ``segment_frames``, in the pixel format of ``video`` (RGB for a
            GIF), each read before the next is asked for.
        video: What to encode.
        span: Which frames of the whole video they are.

    Raises:
        EncodeError: The encoder refused, the number of frames was another, or a survey has to
            find a rate factor or palette first.
    """
    counted = _Counted(pictures)
    try:
        if video.codec == "gif":
            data = gif.encode(counted, video, lead_in=has_lead_in(video, span))
        elif video.codec == "png":
            data = png.encode(counted, video, span)
        else:
            data = _encode_track(counted, video, len(span))
    except FFmpegError as exc:
        name = CODEC_NAMES[video.codec]
        raise EncodeError(f"Encoding {name} failed at frame {counted.count}: {exc}") from exc
    wanted = len(segment_frames(video, span))
    if counted.count != wanted:
        raise EncodeError(f"{wanted} frames were to be encoded, {counted.count} came.")
    return data


class _Counted:
    """Frames, counted as they go by."""

    def __init__(self, pictures: Iterable[av.VideoFrame]) -> None:
        self._pictures = pictures
        self.count = 0

    def __iter__(self) -> Iterator[av.VideoFrame]:
        for picture in self._pictures:
            self.count += 1
            yield picture


def _encode_track(pictures: Iterable[av.VideoFrame], video: VideoSpec, frames: int) -> bytes:
    buffer = BytesIO()
    chosen = encoder_settings(video, frames)
    with av.open(buffer, "w", format=chosen.container, options={"fflags": "+bitexact"}) as file:
        stream = add_video_stream(file, video, frames)
        decoded = itertools.count()
        for packet in _encoded(stream, pictures, video):
            if chosen.reorder is not None:
                packet.dts = next(decoded) - chosen.reorder
            file.mux_one(packet)
    return buffer.getvalue()


def _encoded(
    stream: av.VideoStream, pictures: Iterable[av.VideoFrame], video: VideoSpec
) -> Iterator[Packet]:
    for number, picture in enumerate(pictures):
        picture.pts = number
        picture.time_base = 1 / video.fps
        # ProRes writes them into every frame, from the picture.
        picture.color_primaries, picture.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        yield from stream.encode(picture)
    yield from stream.encode(None)
