"""Taking a musician's files in: read, checked and stored under the hash of their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import CompositionError, InputError
from shared.intake import Intake, IntakeRequest, IntakeSpec
from shared.keys import asset_key, content_key, digest, song_key
from shared.planning import heard_of
from shared.revision import revision
from shared.storage import ObjectStore
from workers.assets import Assets
from workers.audio import recording_duration_s
from workers.hearing import find_hearing
from workers.midi import MidiLimits, Song, read_midi
from workers.named_file import named_file, naming
from workers.soundfont import check_soundfont, find_soundfont

_REPAIRS_TOLD: Final = 3
"""Repairs that are told one by one; `probe` lists them all."""


def take_in(request: IntakeRequest, store: ObjectStore) -> Intake:
    """Store a song, its recording and the assets of its composition and branding.

    Raises:
        InputError: A file is missing, or is not what it should be.
        StorageError: The object store failed.
    """
    files = _Files(midi=request.midi, recording=request.audio, soundfont=request.soundfont)
    return _take(
        request,
        files,
        store,
        asset=lambda name, what: _asset_path(request.folder, name, what),
        keep=lambda path: take_file(path, store),
    )


def take_in_objects(spec: IntakeSpec, store: ObjectStore) -> Intake:
    """The same for files that are in the store already; they keep their keys.

    Raises:
        InputError: A file is not what it should be.
        StorageError: The object store failed, or a file is missing in it.
    """
    keys: dict[Path, str] = {}
    with ExitStack() as stack:

        def lend(key: str, what: str) -> Path:
            path = stack.enter_context(named_file(store, key, spec.names.get(key, what)))
            keys[path] = key
            return path

        files = _Files(
            midi=lend(spec.midi_key, "the MIDI file"),
            recording=lend(spec.recording_key, "the recording") if spec.recording_key else None,
            soundfont=lend(spec.soundfont_key, "the SoundFont") if spec.soundfont_key else None,
        )
        return _take(
            spec,
            files,
            store,
            asset=lambda key, what: lend(key, f"the {what}"),
            # What is not lent was found on this machine: a SoundFont.
            keep=lambda path: keys.get(path) or take_file(path, store),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    midi: Path
    recording: Path | None
    soundfont: Path | None


def _take(
    request: IntakeRequest | IntakeSpec,
    files: _Files,
    store: ObjectStore,
    *,
    asset: Callable[[str, str], Path],
    keep: Callable[[Path], str],
) -> Intake:
    """Check everything and see that it is in the store.

    Args:
        request: What is asked for.
        files: The song's files.
        store: Where the results go.
        asset: Finds the file of an asset, given how the composition names it and what it is.
        keep: Sees that a file is in the store; its key.
    """
    key, song = take_midi(files.midi, store)
    warnings = _repair_warnings(files.midi, song)
    assets = Assets(asset, keep)
    composition = assets.composition(request.composition, song)
    branding = assets.branding(request.branding)
    warnings += assets.warnings
    recording_key, recording_s, soundfont_key = None, None, None
    if files.recording is not None:
        with naming(files.recording):
            recording_s = float(recording_duration_s(files.recording))
        recording_key = keep(files.recording)
    elif request.with_audio or composition.listens:
        # Whether a video has sound makes no difference to what is seen of it.
        soundfont = files.soundfont or find_soundfont()
        if soundfont is None and request.with_audio:
            warnings.append(
                "The video is silent: there is no recording, and no SoundFont was found to play "
                "the MIDI with. Add a recording, or install one (Debian: timgm6mb-soundfont)."
            )
        elif soundfont is not None:
            with naming(soundfont):
                check_soundfont(soundfont)
            soundfont_key = keep(soundfont)
    end_s = song.end_s if request.end_s is None else request.end_s
    intake = Intake(
        composition=composition,
        branding=branding,
        song_key=key,
        title=song.title,
        notes=len(song.notes),
        notes_in_range=len(song.notes.visible(request.start_s, end_s)),
        end_s=song.end_s,
        recording_key=recording_key,
        recording_s=recording_s,
        soundfont_key=soundfont_key,
        warnings=tuple(warnings),
    )
    heard = heard_of(intake)
    if heard is not None:
        # Made here once: the chunks, many at a time, find it.
        find_hearing(heard, store)
    return intake


def take_midi(path: Path, store: ObjectStore) -> tuple[str, Song]:
    """Read a MIDI file, or find it analysed in the store."""
    data = read_limited(path, MidiLimits().max_bytes)
    key = song_key(content_key({"midi": digest(data), "revision": revision()}))
    if store.exists(key):
        return key, Song.from_bytes(store.get_bytes(key))
    with naming(path):
        song = read_midi(data)
    store.put_bytes(key, song.to_bytes())
    return key, song


def read_limited(path: Path, limit_bytes: int) -> bytes:
    """A file's bytes, unless there are more than expected.

    Raises:
        InputError: The file cannot be read or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if len(data) > limit_bytes:
        raise InputError(f"{path.name} is larger than {limit_bytes >> 20} MiB, the most we read.")
    return data


def take_file(path: Path, store: ObjectStore) -> str:
    """Store a file under the hash of its bytes; the same bytes are stored once."""
    try:
        with path.open("rb") as file:
            key = asset_key(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if not store.exists(key):
        store.put_file(key, path)
    return key


def _asset_path(folder: Path, name: str, what: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise CompositionError(f"The {what} {name} does not exist in {folder}.")
    return path


def _repair_warnings(path: Path, song: Song) -> list[str]:
    told = [repair.message for repair in song.repairs[:_REPAIRS_TOLD]]
    more = len(song.repairs) - len(told)
    if more > 0:
        told.append(f"{more} more repairs were made to {path.name}; `midifarm probe` lists them.")
    return told
