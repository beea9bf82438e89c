"""Finding the hearing of a song in the store, or making it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from shared.errors import ObjectNotFoundError
from shared.plan import HeardSpec
from shared.storage.port import ObjectStore
from workers.audio.recording import open_recording
from workers.hearing.bands import SOUND_RATE, Mono
from workers.hearing.hearing import Hearing
from workers.midi import Song
from workers.synth import synthesise

_RINGING_S: Final = 6
"""How long a synthesised song is listened to after its last note."""


def find_hearing(spec: HeardSpec, store: ObjectStore) -> Hearing:
    """What the picture listens to: from the store, or made and stored there.

    It is made at intake, but the janitor may have taken it away since. Ten minutes of a
    recording take a few seconds.

    Raises:
        MediaError: The recording or the SoundFont cannot be used.
        StorageError: The store failed, or a source is missing in it.
    """
    try:
        return Hearing.from_bytes(store.get_bytes(spec.key))
    except (ObjectNotFoundError, ValueError):
        pass  # nobody has listened yet, or an upload of it was cut off
    hearing = _make(spec, store)
    store.put_bytes(spec.key, hearing.to_bytes())
    return hearing


def _make(spec: HeardSpec, store: ObjectStore) -> Hearing:
    if spec.recording_key is not None:
        with store.as_file(spec.recording_key) as path, open_recording(path) as recording:
            blocks = recording.blocks(SOUND_RATE, channels=1)
            return Hearing.from_sound(block[0] for block in blocks)
    assert spec.song_key is not None  # noqa: S101  # it has one of the two
    song = Song.from_bytes(store.get_bytes(spec.song_key))
    if spec.soundfont_key is None:
        return Hearing.from_notes(song.sustained_notes(), song.end_s)
    with store.as_file(spec.soundfont_key) as path:
        return Hearing.from_sound(_played(song, path))


def _played(song: Song, soundfont: Path) -> Iterator[Mono]:
    for stereo in synthesise(
        song.events,
        soundfont=soundfont,
        sample_rate=SOUND_RATE,
        start_s=Fraction(0),
        samples=math.ceil((song.end_s + _RINGING_S) * SOUND_RATE),
    ):
        yield stereo.mean(axis=1)
