"""What the sound of a video is made from, as it is heard before it is levelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from shared.errors import CompositionError, MediaError
from shared.plan import AudioSpec
from shared.storage.port import ObjectStore
from workers.audio.blocks import Block
from workers.audio.placement import place, plan_fades, plan_placement
from workers.audio.recording import open_recording
from workers.midi import Song
from workers.synth import synthesise

Source = Callable[[], Iterator[Block]]
"""Begins the sound anew: exactly as many samples as are heard, with their fades, in blocks."""


def heard_samples(spec: AudioSpec) -> int:
    """How many samples of the sound are before the silence under an end card."""
    return min(spec.heard_samples or spec.samples, spec.samples)


def open_source(
    spec: AudioSpec, store: ObjectStore, stack: ExitStack, warnings: list[str]
) -> Source:
    """Find what the sound is made from; files it needs stay open until the stack is closed.

    Args:
        spec: What to make it from, and which part of it is heard.
        store: Where it is.
        stack: Keeps files open.
        warnings: Sentences about the recording are added, again at each reading.

    Raises:
        CompositionError: The spec names neither a recording nor a song.
        MediaError: The SoundFont is missing.
        StorageError: The store failed, or a source is missing in it.
    """
    plain = _plain_source(spec, store, stack, warnings)
    fade = plan_fades(
        fade_in_s=spec.fade_in_s,
        fade_out_s=spec.fade_out_s,
        samples=heard_samples(spec),
        sample_rate=spec.sample_rate,
    )
    return lambda: fade(plain())


def _plain_source(
    spec: AudioSpec, store: ObjectStore, stack: ExitStack, warnings: list[str]
) -> Source:
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
            samples=heard_samples(spec),
        ):
            block = np.ascontiguousarray(stereo.T)
            yield block if spec.channels == 2 else block.mean(axis=0, keepdims=True)

    return played


def _recorded(spec: AudioSpec, path: Path, warnings: list[str]) -> Iterator[Block]:
    """The recording under the video, from its first sample to its last."""
    placement = plan_placement(
        start_s=spec.start_s,
        offset_s=spec.offset_s,
        samples=heard_samples(spec),
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
