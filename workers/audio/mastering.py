"""From a source to an encoded sound that measures what it is to measure.

What a codec gives back is not what it was given: at low rates its true peak is up to some dB
higher, and its loudness differs a little. So the encoded sound is decoded and measured, and made
again with a lower ceiling where it exceeds the true peak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import EncodeError
from shared.plan import AudioSpec
from workers.audio.blocks import Block
from workers.audio.contour import Contour
from workers.audio.encoding import decode_sound, encode_sound
from workers.audio.levelling import Level, find_level, leave_level
from workers.audio.limiter import amplify
from workers.audio.loudness import Loudness, measure_loudness
from workers.audio.placement import silence
from workers.audio.source import Source, heard_samples
from workers.progress import Progress, watched

_CORRECTIONS: Final = 3
"""How often a sound is encoded again, at most."""
_CLOSE_LU: Final = 0.2
"""Nearer to the target than anybody hears, and than EBU R 128 asks for (±0.5 LU)."""
_ROOM_DB: Final = 0.5
"""What limited peaks are first kept below the true peak: AAC, MP3 and Opus with 64 to 128 kbit/s
a channel add 0.2 to 1.2 dB to those of a piano, measured."""
_SPARE_DB: Final = 0.1
"""A corrected ceiling is this much below what the last overshoot asks for, and twice as much at
the next correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mastered:
    """What came of a sound."""

    measured: Loudness
    """Of the encoded sound, decoded again, without the silence at its end."""
    level: Level
    """What was done to it."""
    encodings: int
    """How often it was encoded."""


def master(
    spec: AudioSpec, source: Source, contour: Contour, path: Path, progress: Progress
) -> Mastered:
    """Level a sound and encode it into a file at ``path``.

    Args:
        spec: How long and how loud it shall be, and what it is encoded as.
        source: What is heard of it, with its fades.
        contour: What that is like.
        path: The file to write.
        progress: Called between two blocks of sound.

    Raises:
        EncodeError: libav refused the encoder's settings, or the source has another length at
            each reading.
        CancelledError: ``progress`` said so.
    """
    if spec.loudness_lufs is None:
        level = leave_level(contour)
        return Mastered(
            measured=_encode(spec, source, level, contour.step, path, progress),
            level=level,
            encodings=1,
        )
    aim_lufs, ceiling_db = spec.loudness_lufs, spec.true_peak_dbtp - _ROOM_DB
    encodings, spare_db = 0, _SPARE_DB
    while True:
        level = find_level(contour, target_lufs=aim_lufs, ceiling_db=ceiling_db)
        measured = _encode(spec, source, level, contour.step, path, progress)
        encodings += 1
        excess_db, short_lu = _misses(spec, measured)
        close = abs(short_lu) <= _CLOSE_LU or (short_lu > 0 and level.bounded)
        if (excess_db <= 0 and close) or encodings > _CORRECTIONS:
            return Mastered(measured=measured, level=level, encodings=encodings)
        if excess_db > 0:
            ceiling_db = min(ceiling_db, level.peak_db) - excess_db - spare_db
            spare_db *= 2
        aim_lufs += short_lu


def _misses(spec: AudioSpec, measured: Loudness) -> tuple[float, float]:
    """By how much the true peak is too high in dB, and the loudness too low in LU."""
    peak, loudness, target = measured.true_peak_dbtp, measured.integrated_lufs, spec.loudness_lufs
    excess_db = 0.0 if peak is None else peak - spec.true_peak_dbtp
    short_lu = 0.0 if loudness is None or target is None else target - loudness
    return excess_db, short_lu


def _encode(
    spec: AudioSpec, source: Source, level: Level, step: int, path: Path, progress: Progress
) -> Loudness:
    """Encode a sound at a level and measure what comes out."""
    heard = heard_samples(spec)

    def whole() -> Iterator[Block]:
        levelled = amplify(source(), level.gain_db, level.edges_db, step)
        yield from watched(levelled, progress)
        yield from watched(silence(spec.channels, spec.samples - heard), progress)

    samples = encode_sound(
        whole(),
        path,
        codec=spec.codec,
        sample_rate=spec.sample_rate,
        channels=spec.channels,
        bitrate_kbps=spec.bitrate_kbps,
    )
    if samples != spec.samples:
        raise EncodeError(f"The sound has {samples} samples instead of {spec.samples}.")
    return measure_loudness(
        watched(decode_sound(path, samples=heard), progress),
        sample_rate=spec.sample_rate,
        channels=spec.channels,
    )
