"""Taking a musician's files in: read, checked and stored under the hash of their bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from shared.composition import BackgroundLayer, Composition, Layer, TitleLayer
from shared.errors import CompositionError, InputError, MidiError
from shared.intake import Intake, IntakeRequest
from shared.keys import asset_key, content_key, digest, song_key
from shared.revision import revision
from shared.storage import ObjectStore
from workers.audio import recording_duration_s
from workers.images import open_image
from workers.midi import MidiLimits, Song, read_midi
from workers.soundfont import check_soundfont, find_soundfont
from workers.text import load_font, missing_characters

_REPAIRS_TOLD: Final = 3
"""Repairs that are told one by one; `probe` lists them all."""


def take_in(request: IntakeRequest, store: ObjectStore) -> Intake:
    """Store a song, its recording and the assets of its composition.

    Raises:
        InputError: A file is missing, or is not what it should be.
        StorageError: The object store failed.
    """
    key, song = take_midi(request.midi, store)
    warnings = _repair_warnings(request.midi, song)
    composition = take_assets(request.composition, request.folder, store)
    warnings += _title_warnings(request, song)
    recording_key, recording_s, soundfont_key = None, None, None
    if request.audio is not None:
        recording_s = float(recording_duration_s(request.audio))
        recording_key = take_file(request.audio, store)
    elif request.with_audio:
        soundfont = request.soundfont or find_soundfont()
        if soundfont is None:
            warnings.append(
                "The video is silent: there is no recording, and no SoundFont was found to play "
                "the MIDI with. Give --audio, or install one (Debian: timgm6mb-soundfont)."
            )
        else:
            check_soundfont(soundfont)
            soundfont_key = take_file(soundfont, store)
    end_s = song.end_s if request.end_s is None else request.end_s
    return Intake(
        composition=composition,
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


def take_midi(path: Path, store: ObjectStore) -> tuple[str, Song]:
    """Read a MIDI file, or find it analysed in the store."""
    data = read_limited(path, MidiLimits().max_bytes)
    key = song_key(content_key({"midi": digest(data), "revision": revision()}))
    if store.exists(key):
        return key, Song.from_bytes(store.get_bytes(key))
    try:
        song = read_midi(data)
    except MidiError as exc:
        raise MidiError(f"{path.name}: {exc.message}") from exc
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


def take_assets(composition: Composition, folder: Path, store: ObjectStore) -> Composition:
    """The composition with every path replaced by the key of what was stored."""
    layers: list[Layer] = []
    for layer in composition.layers:
        match layer:
            case BackgroundLayer(image=str(name)):
                path = _asset_path(folder, name, "image")
                open_image(path, 16, 16)
                layers.append(layer.model_copy(update={"image": take_file(path, store)}))
            case TitleLayer(font=str(name)):
                path = _asset_path(folder, name, "font")
                load_font(12, path)
                layers.append(layer.model_copy(update={"font": take_file(path, store)}))
            case _:
                layers.append(layer)
    return composition.model_copy(update={"layers": tuple(layers)})


def _asset_path(folder: Path, name: str, what: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise CompositionError(f"The composition's {what} {name} does not exist in {folder}.")
    return path


def _title_warnings(request: IntakeRequest, song: Song) -> list[str]:
    warnings = []
    for layer in request.composition.layers:
        if isinstance(layer, TitleLayer):
            font = request.folder / layer.font if layer.font else None
            missing = missing_characters((layer.text or song.title) + layer.artist, font)
            if missing:
                warnings.append(
                    f"The title's font cannot draw {missing}; give the title layer a font that can."
                )
    return warnings


def _repair_warnings(path: Path, song: Song) -> list[str]:
    told = [repair.message for repair in song.repairs[:_REPAIRS_TOLD]]
    more = len(song.repairs) - len(told)
    if more > 0:
        told.append(f"{more} more repairs were made to {path.name}; `midifarm probe` lists them.")
    return told
