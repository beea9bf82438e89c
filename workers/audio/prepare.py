"""Making the sound of one export: source, placement, fades, loudness, encoding, publishing.

The sound is streamed twice, once to measure it and once to encode it, so an hour-long recording
needs no more memory than a short one. Reading it twice costs about a second per 20 minutes; the
alternative, a temporary file of raw samples, is 1.4 GB per hour on a disk that may be memory.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from shared.errors import CompositionError, MediaError
from shared.plan import AudioReport, AudioSpec
from shared.storage.port import ObjectStore
from workers.audio.encoding import encode_aac
from workers.audio.loudness import Loudness, measure_loudness, plan_gain
from workers.audio.placement import Block, place, plan_fades, plan_placement
from workers.audio.recording import open_recording
from workers.midi import Song
from workers.progress import Progress, untold, watched
from workers.synth import synthesise

Source = Callable[[], Iterator[Block]]
"""Begins the sound of the video anew: exactly ``spec.samples`` samples, in blocks."""

_AUDIBLE_SHORTFALL_LU: Final = 1.0
"""A difference in loudness that a listener notices between two videos."""


def prepare_audio(spec: AudioSpec, store: ObjectStore, progress: Progress = untold) -> AudioReport:
    """Make the sound of a video and put it into the store, unless it is there already.

    The encoded sound goes to ``spec.key``, its report to ``spec.report_key`` after it, if that is
    set: where both exist, the work is done.

    Args:
        spec: What to make it from, and how long and how loud it shall be.
        store: Where the sources are and the result goes.
        progress: Called between two blocks of sound.

    Returns:
        What was made, with ``cached`` set if it existed.

    Raises:
        CompositionError: The spec names neither a recording nor a song.
        MediaError: The recording or the SoundFont cannot be used.
        EncodeError: libav refused the encoder's settings.
        StorageError: The store failed, or a source is missing in it.
        CancelledError: ``progress`` said so.
    """
    if spec.report_key and store.exists(spec.key) and store.exists(spec.report_key):
        report = AudioReport.model_validate_json(store.get_bytes(spec.report_key))
        return report.model_copy(update={"cached": True})

    fade = plan_fades(
        fade_in_s=spec.fade_in_s,
        fade_out_s=spec.fade_out_s,
        samples=spec.samples,
        sample_rate=spec.sample_rate,
    )
    warnings: list[str] = []
    with ExitStack() as stack:
        source = _source(spec, store, stack, warnings)
        # Measured with its fades: a constant gain and a fade change places freely, so the
        # report tells of exactly what is encoded.
        measured = measure_loudness(
            fade(watched(source(), progress)),
            sample_rate=spec.sample_rate,
            channels=spec.channels,
        )
        gain_db = plan_gain(
            measured, target_lufs=spec.loudness_lufs, limit_dbtp=spec.true_peak_dbtp
        )
        result = measured.amplified(gain_db)
        # The second reading says the same again.
        said = tuple(dict.fromkeys(warnings)) + _loudness_warnings(spec, result)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="midifarm-audio-")))
        path = folder / "audio.mp4"
        encode_aac(
            _amplify(fade(watched(source(), progress)), gain_db),
            path,
            sample_rate=spec.sample_rate,
            channels=spec.channels,
            bitrate_kbps=spec.bitrate_kbps,
        )
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = path.stat().st_size
        store.put_file(spec.key, path)
    report = AudioReport(
        key=spec.key,
        integrated_lufs=result.integrated_lufs,
        true_peak_dbtp=result.true_peak_dbtp,
        size_bytes=size_bytes,
        sha256=sha256,
        warnings=said,
    )
    if spec.report_key:
        store.put_bytes(spec.report_key, report.model_dump_json().encode())
    return report


def _source(spec: AudioSpec, store: ObjectStore, stack: ExitStack, warnings: list[str]) -> Source:
    """What the sound is made from; files it needs stay open until the stack is closed."""
    if spec.recording_key is not None:
        path = stack.enter_context(store.as_file(spec.recording_key))
        return lambda: _recorded(spec, path, warnings)
    if spec.song_key is None:
        raise CompositionError(
            "There is nothing to make sound from: give a recording, or a MIDI file and a SoundFont."
        )
    if spec.soundfont_key is None:
        # A SoundFont that happens to be installed on this worker would make the result depend
        # on the worker.
        raise MediaError(
            "The MIDI cannot be played without a SoundFont; name one, or give a recording."
        )
    song = Song.from_bytes(store.get_bytes(spec.song_key))
    soundfont = stack.enter_context(store.as_file(spec.soundfont_key))

    def played() -> Iterator[Block]:
        for stereo in synthesise(
            song.events,
            soundfont=soundfont,
            sample_rate=spec.sample_rate,
            start_s=spec.start_s,
            samples=spec.samples,
        ):
            block = np.ascontiguousarray(stereo.T)
            yield block if spec.channels == 2 else block.mean(axis=0, keepdims=True)

    return played


def _recorded(spec: AudioSpec, path: Path, warnings: list[str]) -> Iterator[Block]:
    """The recording under the video, from its first sample to its last."""
    placement = plan_placement(
        start_s=spec.start_s,
        offset_s=spec.offset_s,
        samples=spec.samples,
        sample_rate=spec.sample_rate,
    )
    heard = False
    with open_recording(path) as recording:
        for block in place(
            recording.blocks(spec.sample_rate, spec.channels), placement, spec.channels
        ):
            heard = heard or bool(block.any())
            yield block
        warnings.extend(recording.warnings())
    if not heard:
        warnings.append(
            "The recording is silent in this range; check its offset and where the video starts."
        )


def _amplify(blocks: Iterator[Block], gain_db: float) -> Iterator[Block]:
    factor = np.float32(10 ** (gain_db / 20))
    return (block * factor for block in blocks)


def _loudness_warnings(spec: AudioSpec, result: Loudness) -> tuple[str, ...]:
    """Say so where the loudness that was asked for cannot be had without distortion."""
    target, reached = spec.loudness_lufs, result.integrated_lufs
    if target is None or reached is None or target - reached < _AUDIBLE_SHORTFALL_LU:
        return ()
    sentence = (
        f"The sound reaches {reached:.1f} LUFS instead of {target:.1f}: its peaks leave no room "
        "for more without distortion."
    )
    return (sentence,)
