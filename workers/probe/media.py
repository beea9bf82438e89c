"""What a media file holds: its streams, their coding, size and length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import MediaError
from workers.probe.opening import PICTURE_FORMATS, RECORDING_FORMATS, open_media
from workers.probe.signature import describe_file

_PRIMARIES: Final = {
    ColorPrimaries.BT709: "bt709",
    ColorPrimaries.BT470BG: "bt470bg",
    ColorPrimaries.SMPTE170M: "smpte170m",
    ColorPrimaries.BT2020: "bt2020",
    ColorPrimaries.SMPTE432: "smpte432",
}
_TRANSFER: Final = {
    ColorTrc.BT709: "bt709",
    ColorTrc.GAMMA22: "bt470m",
    ColorTrc.GAMMA28: "bt470bg",
    ColorTrc.SMPTE170M: "smpte170m",
    ColorTrc.LINEAR: "linear",
    ColorTrc.IEC61966_2_1: "iec61966-2-1",
    ColorTrc.BT2020_10: "bt2020-10",
    ColorTrc.SMPTE2084: "smpte2084",
    ColorTrc.ARIB_STD_B67: "arib-std-b67",
}
_MATRIX: Final = {
    Colorspace.ITU709: "bt709",
    Colorspace.ITU601: "bt470bg",
    Colorspace.BT2020: "bt2020nc",
}
_RANGE: Final = {ColorRange.MPEG: "tv", ColorRange.JPEG: "pc"}
"""Names as ffprobe writes them, for the code points of ITU-T H.273 that occur in practice."""

_UNSPECIFIED: Final = 2
"""The code point of H.273 for "nobody said"; for the range it is 0."""

_Code = TypeVar("_Code", bound=IntEnum)


class Probe(BaseModel):
    """Plain data about media: frozen, closed, JSON-serialisable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StreamProbe(Probe):
    """One stream of a media file."""

    index: int = Field(description="Place of the stream in the file.")
    type: str = Field(description="video, audio, subtitle, data or attachment.")
    codec: str | None = Field(default=None, description="Name of the coding: h264, aac, …")
    profile: str | None = Field(default=None, description="Profile of the coding: High, LC, …")
    pixel_format: str | None = Field(default=None, description="Layout of a pixel: yuv420p, …")
    colour_primaries: str | None = Field(default=None, description="Red, green, blue: bt709, …")
    colour_transfer: str | None = Field(default=None, description="Transfer function: bt709, …")
    colour_matrix: str | None = Field(default=None, description="YCbCr matrix: bt709, …")
    colour_range: str | None = Field(default=None, description="tv (16 to 235) or pc (0 to 255).")
    width: int | None = Field(default=None, description="Pixels per row.")
    height: int | None = Field(default=None, description="Rows.")
    fps: str | None = Field(default=None, description='Mean frame rate: "30000/1001".')
    frames: int = Field(description="Packets with content; in a video each is a frame.")
    duration_s: float | None = Field(default=None, description="From the first to the last end.")
    bitrate_kbps: float | None = Field(default=None, description="Mean rate of the packets.")
    sample_rate: int | None = Field(default=None, description="Samples a second.")
    channels: int | None = Field(default=None, description="Audio channels.")
    time_base: str | None = Field(default=None, description='Seconds per tick: "1/15360".')
    start_s: float | None = Field(default=None, description="When its first packet is presented.")


class MediaProbe(Probe):
    """What a media file holds."""

    kind: Literal["video", "audio", "image"] = Field(description="What it is used as.")
    container: str = Field(description="libav's name of the file format.")
    size_bytes: int = Field(description="Length of the file.")
    duration_s: float | None = Field(default=None, description="Length; None for a picture.")
    width: int | None = Field(default=None, description="Pixels per row of the picture.")
    height: int | None = Field(default=None, description="Rows of the picture.")
    frames: int | None = Field(default=None, description="Frames of the picture.")
    fps: str | None = Field(default=None, description="Mean frame rate of the picture.")
    streams: tuple[StreamProbe, ...] = Field(description="All streams, in their order.")


def probe_media(path: Path) -> MediaProbe:
    """Look into a media file without decoding it: packets are counted, not opened.

    Raises:
        MediaError: It is no media file that can be read; the message says what it looks like.
    """
    try:
        container = open_media(path, RECORDING_FORMATS + PICTURE_FORMATS)
    except (av.FFmpegError, ValueError) as exc:
        raise MediaError(
            f"{path.name} is no picture, sound or video that can be read: it looks like "
            f"{describe_file(path)}."
        ) from exc
    with container:
        tallies = _tally(container)
        streams = tuple(_describe(stream, tallies[stream.index]) for stream in container.streams)
        # The cover of a song is a video stream to libav.
        covers = {s.index for s in container.streams if s.disposition & Disposition.attached_pic}
        name = container.format.name
        declared_s = None if container.duration is None else container.duration / av.time_base
    pictures = [s for s in streams if s.type == "video" and s.index not in covers and s.width]
    sounds = [s for s in streams if s.type == "audio"]
    if not pictures and not sounds:
        raise MediaError(f"{path.name} holds neither a picture nor a sound.")
    still = bool(pictures) and name in PICTURE_FORMATS and pictures[0].frames <= 1
    longest_s = max((s.duration_s for s in streams if s.duration_s), default=None)
    first = pictures[0] if pictures else None
    return MediaProbe(
        kind="image" if still else "video" if first else "audio",
        container=name,
        size_bytes=path.stat().st_size,
        duration_s=None if still else declared_s or longest_s,
        width=first.width if first else None,
        height=first.height if first else None,
        frames=first.frames if first else None,
        fps=first.fps if first and not still else None,
        streams=streams,
    )


def colour_name(code: int, kind: type[_Code], names: dict[_Code, str], unset: int) -> str | None:
    """The name of a colour code point; the number as text where it has none; None if unset."""
    if code == unset:
        return None
    try:
        return names.get(kind(code), str(code))
    except ValueError:
        return str(code)


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What the packets of one stream add up to."""

    packets: int = 0
    size_bytes: int = 0
    first: int | None = None
    stop: int | None = None


def _tally(container: InputContainer) -> list[_Tally]:
    tallies = [_Tally() for _ in container.streams]
    try:
        for packet in container.demux():
            if not packet.size:
                continue
            tally = tallies[packet.stream_index]
            tally.packets += 1
            tally.size_bytes += packet.size
            if packet.pts is not None:
                stop = packet.pts + (packet.duration or 0)
                tally.first = packet.pts if tally.first is None else min(tally.first, packet.pts)
                tally.stop = stop if tally.stop is None else max(tally.stop, stop)
    except av.FFmpegError:
        # The end of a file that was cut off; what came before it is told.
        pass
    return tallies


def _describe(stream: Stream, tally: _Tally) -> StreamProbe:
    base = stream.time_base
    span_s: Fraction | None = None
    if base is not None and tally.first is not None and tally.stop is not None:
        span_s = (tally.stop - tally.first) * base
    common = StreamProbe(
        index=stream.index,
        type=stream.type,
        frames=tally.packets,
        duration_s=float(span_s) if span_s else None,
        bitrate_kbps=round(float(tally.size_bytes * 8 / span_s / 1000), 3) if span_s else None,
        time_base=None if base is None else str(base),
        start_s=None if base is None or tally.first is None else float(tally.first * base),
    )
    # libav knows formats without a decoder for them, and PyAV then has no context.
    context = getattr(stream, "codec_context", None)
    if context is None:
        return common
    common = common.model_copy(
        update={"codec": context.codec.canonical_name, "profile": stream.profile}
    )
    if isinstance(stream, AudioStream):
        return common.model_copy(
            update={"sample_rate": stream.sample_rate, "channels": stream.channels}
        )
    if not isinstance(stream, VideoStream):
        return common
    video = stream.codec_context
    return common.model_copy(
        update={
            "pixel_format": video.pix_fmt,
            "width": video.width,
            "height": video.height,
            "fps": None if stream.average_rate is None else str(stream.average_rate),
            **dict(
                _colours(
                    video.color_primaries, video.color_trc, video.colorspace, video.color_range
                )
            ),
        }
    )


def _colours(
    primaries: int, transfer: int, matrix: int, reach: int
) -> Iterable[tuple[str, str | None]]:
    yield "colour_primaries", colour_name(primaries, ColorPrimaries, _PRIMARIES, _UNSPECIFIED)
    yield "colour_transfer", colour_name(transfer, ColorTrc, _TRANSFER, _UNSPECIFIED)
    yield "colour_matrix", colour_name(matrix, Colorspace, _MATRIX, _UNSPECIFIED)
    yield "colour_range", colour_name(reach, ColorRange, _RANGE, 0)
