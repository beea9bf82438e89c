"""Whether the tracks of a finished mp4, mov, webm or file of sound are as planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final

from av.container import InputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from shared.codecs import CODECS, Container, has_alpha
from shared.plan import AudioSpec, VideoSpec
from workers.probe.boxes import read_boxes, read_movie_header
from workers.probe.opening import open_media
from workers.probe.sound import sound_problems
from workers.probe.timing import EXACT, MILLISECONDS, TrackTimes
from workers.sounds import SOUNDS

_DEMUXERS: Final[Mapping[Container, str]] = MappingProxyType(
    {"mp4": "mov", "mov": "mov", "m4a": "mov", "webm": "matroska", "mp3": "mp3", "ogg": "ogg"}
)
_BOXED: Final = ("mp4", "mov", "m4a")
"""Containers of boxes (ISO/IEC 14496-12), with one index in which all times are exact."""
_CODINGS: Final[Mapping[str, str]] = MappingProxyType({"h265": "hevc", "prores_4444": "prores"})
"""libav's names of codecs, where they are others than ours."""
_TAGS: Final[Mapping[str, str]] = MappingProxyType(
    {"h264": "avc1", "h265": "hvc1", "vp9": "vp09", "av1": "av01", "prores_4444": "ap4h"}
)
"""Sample entries that players know the codecs by (registered with the MP4 authority)."""
_PROFILES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "baseline": ("Baseline", "Constrained Baseline"),
        # x264 writes the least that a decoder must know: at its fastest not even CABAC.
        "main": ("Main", "Constrained Baseline"),
        "high": ("High", "Main", "Constrained Baseline"),
        "high10": ("High 10",),
        "high444": ("High 4:4:4 Predictive",),
        "main10": ("Main 10",),
        "main444-8": ("Rext",),
    }
)
"""libav's names of the profiles that are asked for by name."""
_IMPLIED_PROFILES: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("vp9", "yuv420p"): "Profile 0",
        ("vp9", "yuva420p"): "Profile 0",
        ("vp9", "yuv444p"): "Profile 1",
        ("vp9", "yuv420p10le"): "Profile 2",
        ("av1", "yuv420p"): "Main",
        ("av1", "yuv420p10le"): "Main",
        ("prores_4444", "yuva444p10le"): "4444",
    }
)
"""Profiles that follow from codec and pixels."""
_SEEN_AS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        # libav's decoder leaves the alpha out, which lies beside the frames.
        ("vp9", "yuva420p"): "yuv420p",
        # ProRes 4444 has 12 bits for whoever decodes it, whatever was encoded.
        ("prores_4444", "yuva444p10le"): "yuva444p12le",
    }
)
"""Pixel formats that a decoder gives out, where they are others than those encoded."""


def movie_problems(
    path: Path,
    container: Container,
    video: VideoSpec | None,
    frames: int,
    audio: AudioSpec | None,
    segments: int,
) -> Iterator[str]:
    """What is different in a finished movie, or a file of sound, from what was planned.

    Raises:
        av.FFmpegError: It is no such file.
        ValueError: Its boxes are damaged.
        OSError: It cannot be read.
    """
    clock = MILLISECONDS if container == "webm" else EXACT
    if container in _BOXED:
        yield from _layout_problems(path, video, frames, audio)
    with ExitStack() as stack:
        file = stack.enter_context(open_media(path, (_DEMUXERS[container],)))
        pictures, sounds = file.streams.video, file.streams.audio
        times = {stream.index: TrackTimes() for stream in (*pictures, *sounds)}
        for packet in file.demux(*pictures, *sounds):
            if packet.size:
                times[packet.stream_index].add(packet)
        wanted = int(video is not None), int(audio is not None)
        if len(pictures) != wanted[0]:
            yield f"it has {len(pictures)} video streams instead of {wanted[0]}"
        elif video is not None:
            track = times[pictures[0].index]
            yield from _picture_problems(pictures[0], video, container)
            yield from track.frame_problems(video.fps, frames, clock)
            if track.keys < segments:
                yield f"it has {track.keys} key frames instead of {segments} at least"
            if has_alpha(video.pixel_format) and video.codec == "vp9":
                yield from _alpha_problems(pictures[0], track, frames)
        if len(sounds) != wanted[1]:
            yield f"it has {len(sounds)} audio streams instead of {wanted[1]}"
        elif audio is not None:
            yield from sound_problems(
                sounds[0], times[sounds[0].index], audio, clock, as_file=container == "mp3"
            )
        if container not in _BOXED:
            yield from _duration_problems(file, container, video, frames, audio)


def _layout_problems(
    path: Path, video: VideoSpec | None, frames: int, audio: AudioSpec | None
) -> Iterator[str]:
    kinds = [box.kind for box in read_boxes(path)]
    if "moov" not in kinds or "mdat" not in kinds:
        yield f"it lacks its index or its data (boxes {', '.join(kinds)})"
        return
    if kinds.index("moov") > kinds.index("mdat"):
        yield "its index (moov) comes after its data, so that it cannot start while it loads"
    header = read_movie_header(path)
    tolerance_s = Fraction(1, header.timescale)
    if audio is not None:
        # The sound is rounded to whole samples and may end half of one later.
        tolerance_s += Fraction(1, 2 * audio.sample_rate)
    yield from _length(header.duration_s, _planned_s(video, frames, audio), tolerance_s)


def _duration_problems(
    file: InputContainer,
    container: Container,
    video: VideoSpec | None,
    frames: int,
    audio: AudioSpec | None,
) -> Iterator[str]:
    planned_s = _planned_s(video, frames, audio)
    if audio is not None and container != "mp3":
        # Opus counts its priming in.
        heard = audio.samples + SOUNDS[audio.codec].priming_samples
        planned_s = max(planned_s, Fraction(heard, audio.sample_rate))
    # webm rounds both when the last packet begins and how long it lasts.
    tolerance_s = Fraction(2, 1000) if container == "webm" else Fraction(1, 100_000)
    yield from _length(Fraction(file.duration or 0, 1_000_000), planned_s, tolerance_s)


def _planned_s(video: VideoSpec | None, frames: int, audio: AudioSpec | None) -> Fraction:
    if video is not None:
        return Fraction(frames) / video.fps
    return Fraction(audio.samples, audio.sample_rate) if audio is not None else Fraction(0)


def _length(found_s: Fraction, planned_s: Fraction, tolerance_s: Fraction) -> Iterator[str]:
    if abs(found_s - planned_s) > tolerance_s:
        yield f"it lasts {float(found_s):.6f} s instead of {float(planned_s):.6f} s"


def _picture_problems(stream: VideoStream, video: VideoSpec, container: Container) -> Iterator[str]:
    context, kind = stream.codec_context, (video.codec, video.pixel_format)
    expected: list[tuple[str, object, object]] = [
        ("coding", context.codec.canonical_name, _CODINGS.get(video.codec, video.codec)),
        ("width", context.width, video.width),
        ("height", context.height, video.height),
        ("pixel format", context.pix_fmt, _SEEN_AS.get(kind, video.pixel_format)),
        ("colour primaries", context.color_primaries, int(ColorPrimaries.BT709)),
        ("colour transfer", context.color_trc, int(ColorTrc.BT709)),
        ("colour matrix", context.colorspace, int(Colorspace.ITU709)),
        ("colour range", context.color_range, int(ColorRange.MPEG)),
    ]
    if container in _BOXED and context.codec.canonical_name == expected[0][2]:
        expected.append(("sample entry", context.codec_tag, _TAGS[video.codec]))
    for name, found, planned in expected:
        if found != planned:
            yield f"its {name} is {found} instead of {planned}"
    profile = video.profile or next(iter(CODECS[video.codec].profiles[video.pixel_format]), None)
    planned_profiles = _PROFILES[profile] if profile else (_IMPLIED_PROFILES[kind],)
    if stream.profile not in planned_profiles:
        yield f"its profile is {stream.profile} instead of {profile or planned_profiles[0]}"


def _alpha_problems(stream: VideoStream, track: TrackTimes, frames: int) -> Iterator[str]:
    tags = {name.lower(): value for name, value in stream.metadata.items()}
    if tags.get("alpha_mode") != "1":
        yield "it does not say that it has an alpha channel"
    if track.with_alpha != frames:
        yield f"{track.with_alpha} of its {frames} frames have an alpha channel"
