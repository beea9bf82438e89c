"""Making the sound of one export: source, contour, level, encoding, publishing.

The sound is streamed, so an hour-long recording needs no more memory than a short one. Reading
it again for each pass costs about a second per 20 minutes; the alternative, a temporary file of
raw samples, is 1.4 GB per hour on a disk that may be memory.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Final

import av
import numpy as np
from pydantic import ValidationError

from shared.errors import ObjectNotFoundError
from shared.keys import content_key, contour_key
from shared.plan import AudioReport, AudioSpec
from shared.storage.port import ObjectStore
from workers.audio.contour import CONTOUR_REVISION, Contour, trace
from workers.audio.mastering import Mastered, master
from workers.audio.source import Source, heard_samples, open_source
from workers.progress import Progress, untold, watched

_HEARD: Final = (
    "recording_key",
    "song_key",
    "soundfont_key",
    "start_s",
    "offset_s",
    "sample_rate",
    "channels",
    "fade_in_s",
    "fade_out_s",
)
"""What of an AudioSpec determines its sound before it is levelled and encoded."""

_AUDIBLE_SHORTFALL_LU: Final = 0.5
"""What EBU R 128 lets a programme miss its target by."""


def prepare_audio(spec: AudioSpec, store: ObjectStore, progress: Progress = untold) -> AudioReport:
    """Make the sound of a video and put it into the store, unless it is there already.

    The encoded sound goes to ``spec.key``, its report to ``spec.report_key`` after it, if that is
    set: where both exist, the work is done. What was learnt of the source is kept beside, for
    the next export of the same song.

    Args:
        spec: What to make it from, how long and how loud it shall be, and in which codec.
        store: Where the sources are and the result goes.
        progress: Called between two blocks of sound.

    Returns:
        What was made, with ``cached`` set if it existed. Loudness and true peak are those of the
        encoded sound, decoded again.

    Raises:
        CompositionError: The spec names neither a recording nor a song.
        MediaError: The recording or the SoundFont cannot be used.
        EncodeError: libav refused the encoder's settings.
        StorageError: The store failed, or a source is missing in it.
        CancelledError: ``progress`` said so.
    """
    stored = _stored_sound(spec, store)
    if stored is not None:
        return stored
    warnings: list[str] = []
    with ExitStack() as stack:
        source = open_source(spec, store, stack, warnings)
        contour = _contour(spec, source, store, warnings, progress)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="midifarm-audio-")))
        path = folder / "sound"
        mastered = master(spec, source, contour, path, progress)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = path.stat().st_size
        store.put_file(spec.key, path)
    report = AudioReport(
        key=spec.key,
        integrated_lufs=mastered.measured.integrated_lufs,
        true_peak_dbtp=mastered.measured.true_peak_dbtp,
        size_bytes=size_bytes,
        sha256=sha256,
        warnings=contour.warnings + _level_warnings(spec, mastered),
    )
    if spec.report_key:
        store.put_bytes(spec.report_key, report.model_dump_json().encode())
    return report


def _stored_sound(spec: AudioSpec, store: ObjectStore) -> AudioReport | None:
    """The report of the sound if the store holds both, and the sound is the one it tells of."""
    if spec.report_key is None:
        return None
    try:
        report = AudioReport.model_validate_json(store.get_bytes(spec.report_key))
        with store.as_file(spec.key) as path, path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (ObjectNotFoundError, ValidationError):
        return None
    return report.model_copy(update={"cached": True}) if found == report.sha256 else None


def _contour(
    spec: AudioSpec, source: Source, store: ObjectStore, warnings: list[str], progress: Progress
) -> Contour:
    """The contour of what is heard, from the store if it is known there."""
    key = contour_key(
        content_key(
            {
                "revision": CONTOUR_REVISION,
                "libraries": f"av {av.__version__}, numpy {np.__version__}, "
                f"tinysoundfont {version('tinysoundfont')}",
                "heard_samples": heard_samples(spec),
                **{name: getattr(spec, name) for name in _HEARD},
            }
        )
    )
    try:
        return Contour.from_bytes(store.get_bytes(key))
    except (ObjectNotFoundError, ValueError):
        pass  # nobody has read it yet, or an upload of it was cut off
    contour = trace(
        watched(source(), progress),
        sample_rate=spec.sample_rate,
        channels=spec.channels,
        warnings=warnings,
    )
    store.put_bytes(key, contour.to_bytes())
    return contour


def _level_warnings(spec: AudioSpec, mastered: Mastered) -> tuple[str, ...]:
    """Say so where what was asked for cannot be had without harm."""
    target, limit = spec.loudness_lufs, spec.true_peak_dbtp
    loudness, peak = mastered.measured.integrated_lufs, mastered.measured.true_peak_dbtp
    found: list[str] = []
    if target is None:
        return ()
    if loudness is not None and target - loudness > _AUDIBLE_SHORTFALL_LU:
        found.append(
            f"The sound reaches {loudness:.1f} LUFS instead of {target:.1f}: for more, its peaks "
            "would have to be taken down so far that it is heard. Choose a lower loudness, or a "
            "recording with more even dynamics."
        )
    if peak is not None and peak > limit:
        found.append(
            f"The true peak is {peak:.1f} dBTP instead of {limit:.1f}: "
            f"{spec.bitrate_kbps} kbit/s are too few to keep it. Raise the bitrate of the sound."
        )
    return tuple(found)
