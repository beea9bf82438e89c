"""Whether a finished mp4 is the video that was planned, before it is handed over.

Nothing is decoded: a video of ten minutes takes under a second. What the picture shows
is guarded elsewhere, when each segment is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from shared.errors import VerificationError
from shared.plan import AudioSpec, VideoSpec
from workers.probe.boxes import read_boxes, read_movie_header
from workers.probe.opening import open_media

AAC_FRAME_SAMPLES: Final = 1024
"""Samples in a frame of AAC-LC (ISO/IEC 14496-3); also the priming of libav's encoder."""

_PROFILES: Final = {
    "baseline": {"Baseline", "Constrained Baseline"},
    "main": {"Main"},
    "high": {"High"},
}


@dataclass(slots=True, kw_only=True)
class _Packets:
    """The packets of one stream, in the order of the file; times in seconds."""

    shown_s: list[Fraction | None] = field(default_factory=list)
    decoded_s: list[Fraction | None] = field(default_factory=list)
    lasts_s: list[Fraction] = field(default_factory=list)
    first_is_key: bool = False


def verify_export(path: Path, *, video: VideoSpec, frames: int, audio: AudioSpec | None) -> None:
    """Make sure that a finished mp4 is what was planned.

    Raises:
        VerificationError: It is not; the message names every difference, and
            ``facts["problems"]`` is their list.
    """
    problems = check_export(path, video=video, frames=frames, audio=audio)
    if problems:
        raise VerificationError(
            f"The finished video is not as planned: {'; '.join(problems)}.", problems=problems
        )


def check_export(
    path: Path, *, video: VideoSpec, frames: int, audio: AudioSpec | None
) -> list[str]:
    """What is different in a finished mp4 from what was planned; empty if nothing is.

    Args:
        path: The finished file.
        video: What the picture was to be encoded as.
        frames: How many frames it was to have.
        audio: What the sound was to be; None for a video without.
    """
    problems: list[str] = []
    try:
        problems += _layout_problems(path, Fraction(frames) / video.fps, audio)
        with open_media(path, ("mov",)) as container:
            pictures, sounds = container.streams.video, container.streams.audio
            packets = {stream.index: _Packets() for stream in container.streams}
            for packet in container.demux():
                if not packet.size or packet.time_base is None:
                    continue
                seen, base = packets[packet.stream_index], packet.time_base
                if not seen.shown_s:
                    seen.first_is_key = packet.is_keyframe
                seen.shown_s.append(None if packet.pts is None else packet.pts * base)
                seen.decoded_s.append(None if packet.dts is None else packet.dts * base)
                seen.lasts_s.append((packet.duration or 0) * base)
            if len(pictures) == 1:
                problems += _picture_problems(pictures[0], video)
                problems += _frame_problems(packets[pictures[0].index], video.fps, frames)
            else:
                problems.append(f"it has {len(pictures)} video streams instead of 1")
            wanted = 0 if audio is None else 1
            if len(sounds) != wanted:
                problems.append(f"it has {len(sounds)} audio streams instead of {wanted}")
            elif audio is not None:
                sound = sounds[0]
                for name, found, planned in (
                    ("sound coding", sound.codec_context.codec.canonical_name, "aac"),
                    ("sample rate", sound.sample_rate, audio.sample_rate),
                    ("number of channels", sound.channels, audio.channels),
                ):
                    if found != planned:
                        problems.append(f"its {name} is {found} instead of {planned}")
                problems += _sound_problems(packets[sound.index], audio)
    except (av.FFmpegError, ValueError, OSError) as exc:
        problems.append(f"it cannot be read as mp4: {exc}")
    return problems


def _layout_problems(path: Path, duration_s: Fraction, audio: AudioSpec | None) -> Iterator[str]:
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
    if abs(header.duration_s - duration_s) > tolerance_s:
        yield f"it lasts {float(header.duration_s):.6f} s instead of {float(duration_s):.6f} s"


def _picture_problems(stream: VideoStream, video: VideoSpec) -> Iterator[str]:
    context = stream.codec_context
    expected: tuple[tuple[str, object, object], ...] = (
        ("coding", context.codec.canonical_name, "h264"),
        ("width", context.width, video.width),
        ("height", context.height, video.height),
        ("pixel format", context.pix_fmt, "yuv420p"),
        ("colour primaries", context.color_primaries, int(ColorPrimaries.BT709)),
        ("colour transfer", context.color_trc, int(ColorTrc.BT709)),
        ("colour matrix", context.colorspace, int(Colorspace.ITU709)),
        ("colour range", context.color_range, int(ColorRange.MPEG)),
    )
    for name, found, planned in expected:
        if found != planned:
            yield f"its {name} is {found} instead of {planned}"
    profiles = _PROFILES.get(video.profile, {video.profile})
    if stream.profile not in profiles:
        yield f"its profile is {stream.profile} instead of {video.profile}"


def _frame_problems(packets: _Packets, fps: Fraction, frames: int) -> Iterator[str]:
    if len(packets.shown_s) != frames:
        yield f"it has {len(packets.shown_s)} frames instead of {frames}"
    if not packets.first_is_key:
        yield "it does not begin with a key frame"
    if None in packets.shown_s or None in packets.decoded_s:
        yield "some of its frames have no time"
        return
    shown = sorted(time_s for time_s in packets.shown_s if time_s is not None)
    for frame, time_s in enumerate(shown):
        if time_s != frame / fps:
            yield f"frame {frame} is shown at {float(time_s):.6f} s, not {float(frame / fps):.6f} s"
            break
    if not _rises([time_s for time_s in packets.decoded_s if time_s is not None]):
        yield "its decoding times do not rise"


def _sound_problems(packets: _Packets, audio: AudioSpec) -> Iterator[str]:
    """The packets reach from the priming before 0 to the end of the sound without a hole.

    The edit list makes libav give the first packet a negative time: what lies before 0 is not
    heard. A packet may outlast the sound by the padding of the last AAC frame.
    """
    rate = audio.sample_rate
    starts = [time_s * rate for time_s in packets.shown_s if time_s is not None]
    if not starts or len(starts) != len(packets.shown_s):
        yield "its sound is empty or has packets without a time"
        return
    stops = [at + lasts_s * rate for at, lasts_s in zip(starts, packets.lasts_s, strict=True)]
    if starts[0] > 0 or starts[0] < -2 * AAC_FRAME_SAMPLES:
        yield f"its sound begins at sample {float(starts[0]):g} instead of 0"
    for stop, start in zip(stops, starts[1:], strict=False):
        if stop != start:
            yield f"its sound has a hole or an overlap at {float(stop / rate):.3f} s"
            break
    if not 0 <= stops[-1] - audio.samples <= AAC_FRAME_SAMPLES:
        yield f"its sound has {float(stops[-1]):g} samples instead of {audio.samples}"


def _rises(times_s: Sequence[Fraction]) -> bool:
    return all(a < b for a, b in pairwise(times_s))
