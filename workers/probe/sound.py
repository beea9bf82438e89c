"""Whether the sound of a finished file is as planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from av.audio.stream import AudioStream

from shared.codecs import AudioCodec
from shared.plan import AudioSpec
from workers.probe.timing import Clock, TrackTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFrames:
    """How a codec cuts sound into packets."""

    samples: int
    """In a packet."""
    priming_samples: int
    """Before the first sample of the sound, to be left out by players."""


SOUND_FRAMES: Final[Mapping[AudioCodec, SoundFrames]] = MappingProxyType(
    {
        # AAC-LC (ISO/IEC 14496-3); the priming of libav's encoder.
        "aac": SoundFrames(samples=1024, priming_samples=1024),
        # Layer III (ISO/IEC 11172-3); LAME's delay of 576 and the 529 of every decoder.
        "mp3": SoundFrames(samples=1152, priming_samples=1105),
        # 20 ms at 48 kHz; libopus's look-ahead.
        "opus": SoundFrames(samples=960, priming_samples=312),
    }
)
"""Every codec of the sound by its name."""


def sound_problems(
    stream: AudioStream, track: TrackTimes, audio: AudioSpec, clock: Clock, *, as_file: bool
) -> Iterator[str]:
    """What is different in a track of sound from what was planned.

    The packets reach from the priming before 0 to the end of the sound without a hole; the last
    one may outlast the sound by the padding of its frame.

    Args:
        stream: The track.
        track: Its packets.
        audio: What was planned.
        clock: Of the container.
        as_file: Whether it is an mp3 file, whose packets count from 0: the priming is told of
            in its header.
    """
    for name, found, planned in (
        ("sound coding", stream.codec_context.codec.canonical_name, audio.codec),
        ("sample rate", stream.sample_rate, audio.sample_rate),
        ("number of channels", stream.channels, audio.channels),
    ):
        if found != planned:
            yield f"its {name} is {found} instead of {planned}"
    rate, frames = audio.sample_rate, SOUND_FRAMES[audio.codec]
    shift = frames.priming_samples if as_file else 0
    starts = [time_s * rate - shift for time_s in track.shown_s if time_s is not None]
    if not starts or len(starts) != len(track.shown_s):
        yield "its sound is empty or has packets without a time"
        return
    tolerance = clock.tolerance_s * rate
    if abs(starts[0] + frames.priming_samples) > tolerance:
        begin = float(starts[0] + frames.priming_samples)
        yield f"its sound begins at sample {begin:g} instead of 0"
    for place, start in enumerate(starts):
        planned_start = starts[0] + place * frames.samples
        # The first time is rounded as well.
        if abs(start - planned_start) > 2 * tolerance:
            yield f"its sound has a hole or an overlap at {float(Fraction(start, rate)):.3f} s"
            break
    stop = starts[-1] + track.lasts_s[-1] * rate
    if not -tolerance <= stop - audio.samples <= frames.samples + tolerance:
        yield f"its sound has {float(stop):g} samples instead of {audio.samples}"
