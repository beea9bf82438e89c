"""Whether the sound of a finished file is as planned."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.audio.stream import AudioStream

from shared.plan import AudioSpec
from workers.probe.timing import Clock, TrackTimes
from workers.sounds import SOUNDS


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
    rate, facts = audio.sample_rate, SOUNDS[audio.codec]
    shift = facts.priming_samples if as_file else 0
    starts = [time_s * rate - shift for time_s in track.shown_s if time_s is not None]
    if not starts or len(starts) != len(track.shown_s):
        yield "its sound is empty or has packets without a time"
        return
    tolerance = clock.tolerance_s * rate
    if abs(starts[0] + facts.priming_samples) > tolerance:
        begin = float(starts[0] + facts.priming_samples)
        yield f"its sound begins at sample {begin:g} instead of 0"
    for place, start in enumerate(starts):
        planned_start = starts[0] + place * facts.frame_samples
        # The first time is rounded as well.
        if abs(start - planned_start) > 2 * tolerance:
            yield f"its sound has a hole or an overlap at {float(Fraction(start, rate)):.3f} s"
            break
    stop = starts[-1] + track.lasts_s[-1] * rate
    if not -tolerance <= stop - audio.samples <= facts.frame_samples + tolerance:
        yield f"its sound has {float(stop):g} samples instead of {audio.samples}"
