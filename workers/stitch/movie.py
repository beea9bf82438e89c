"""A movie: the packets of segments and sound in one mp4, mov or webm."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import av
from av.container import InputContainer

from shared.codecs import has_alpha
from shared.errors import RenderError, VerificationError
from shared.plan import StitchSpec, VideoSpec
from workers.progress import Progress
from workers.stitch.packets import interleave, place_packets, reorder_of
from workers.stitch.sound import sound_packets
from workers.stitch.sources import Sources

if TYPE_CHECKING:
    Packet = av.Packet[Any]  # generic to the type checker alone

_BITEXACT: Final = {"fflags": "+bitexact"}
"""No version of libav, no time of day and no random number in the file."""
_TAGS: Final[Mapping[str, str]] = MappingProxyType({"h265": "hvc1", "prores_4444": "ap4h"})
"""Names of sample entries that the muxer would not choose itself: Apple's players take H.265 as
hvc1 alone (HLS Authoring Specification, 1.10), and another flavour of ProRes has no alpha."""
_TICKS: Final = 48000
"""What a second of a silent video has at least, so that no player rounds its length."""


def write_movie(spec: StitchSpec, sources: Sources, path: Path, progress: Progress) -> None:
    """Join the segments of a video and its sound.

    Args:
        spec: Of mp4, mov or webm.
        sources: The segments and the sound.
        path: The file to write.
        progress: Hears how many frames are joined.

    Raises:
        RenderError: A segment is not what was planned.
        VerificationError: The segments hold another number of frames than was planned.
    """
    video = spec.video
    assert video is not None  # noqa: S101  # these containers have a picture
    with ExitStack() as stack:
        output = stack.enter_context(
            av.open(str(path), "w", format=spec.container, options=_options(spec, video))
        )
        first = stack.enter_context(sources.segment(0))
        template = stack.enter_context(av.open(str(first))).streams.video[0]
        picture = output.add_stream_from_template(template, opaque=True, rate=video.fps)
        picture.time_base = 1 / video.fps
        if video.codec in _TAGS and spec.container != "webm":
            picture.codec_context.codec_tag = _TAGS[video.codec]
        if spec.container == "webm" and has_alpha(video.pixel_format):
            # The muxer sees no alpha channel in the codec's parameters: it is in side data.
            picture.metadata["alpha_mode"] = "1"
        streams = [_picture_packets(spec, video, sources, picture, progress)]
        sound = stack.enter_context(sources.sound())
        if sound is not None and spec.audio is not None:
            heard = stack.enter_context(av.open(str(sound)))
            audio = output.add_stream_from_template(heard.streams.audio[0], opaque=True)
            streams.append(sound_packets(heard, spec.audio, audio))
        for packet in interleave(streams):
            output.mux_one(packet)


def _options(spec: StitchSpec, video: VideoSpec) -> dict[str, str]:
    if spec.container == "webm":
        return _BITEXACT | {"cues_to_front": "1"}
    # The edit list counts in this scale: frames and samples last a whole number of ticks.
    ticks = math.lcm(video.fps.numerator, spec.audio.sample_rate if spec.audio else _TICKS)
    return _BITEXACT | {"movflags": "+faststart", "movie_timescale": str(ticks)}


def _picture_packets(
    spec: StitchSpec,
    video: VideoSpec,
    sources: Sources,
    stream: av.VideoStream,
    progress: Progress,
) -> Iterator[Packet]:
    """The packets of all segments with their places in the whole video."""
    fps, frame = video.fps, 0
    extradata = None
    for index in range(len(sources)):
        progress(frame)
        key = sources.segment_name(index)
        with sources.segment(index) as path:
            # Read twice, so that not all packets of a segment have to be in memory at once.
            with av.open(str(path)) as segment:
                found = segment.streams.video[0].codec_context.extradata
                times = _times(segment, key)
            if extradata is None:
                extradata = found
            elif extradata != found:
                raise RenderError(f"Segment {key} was encoded with other settings.")
            places = place_packets(times, fps, frame, reorder_of(video.codec))
            with av.open(str(path)) as segment:
                packets = (packet for packet in segment.demux(video=0) if packet.size)
                for packet, placed in zip(packets, places, strict=True):
                    packet.pts, packet.dts, packet.duration = placed.present, placed.decode, 1
                    packet.time_base = 1 / fps
                    packet.stream = stream
                    progress(placed.present)
                    yield packet
            frame += len(places)
    if frame != spec.frames:
        raise VerificationError(f"{spec.frames} frames were planned, the segments hold {frame}.")


def _times(segment: InputContainer, key: str) -> list[Fraction]:
    """When the packets of a segment are shown, in seconds, in the order of decoding."""
    times: list[Fraction] = []
    for packet in segment.demux(video=0):
        if not packet.size:
            continue
        if not times and not packet.is_keyframe:
            break
        times.append(Fraction(packet.pts or 0) * packet.time_base)
    if not times:
        raise RenderError(f"Segment {key} does not begin with a key frame.")
    return times
