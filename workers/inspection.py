"""Telling what is in a file, MIDI or media, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from shared.errors import InputError
from shared.intake import AssetKind, ProbeReport, ProbeSpec
from shared.storage import ObjectStore
from workers.audio import recording_outline
from workers.footage import check_footage
from workers.images import image_size, open_image
from workers.intake import read_limited
from workers.midi import MidiLimits, Song, read_midi
from workers.midi.density import note_density
from workers.named_file import named_file, naming
from workers.probe import probe_media
from workers.soundfont import check_soundfont
from workers.text import load_font

_MIDI_SUFFIXES: Final = {".mid", ".midi", ".kar", ".rmi", ".smf"}
_HEAD_BYTES: Final = 64
_MOST_LISTED: Final = 500
"""Entries of each list that are told of an asset: what is told is kept, and shown in every list."""
_LONGEST_TEXT: Final = 200
"""Characters of each text that are told of it."""
_DRAWN_PARTS: Final = 400
"""Parts of a song or a recording of which density and waveform are told: enough to drag along."""
_DECODED: Final = (16, 16)
"""Size to which an image is decoded to see that it can be."""


def inspect_file(path: Path) -> dict[str, Any]:
    """Everything that `probe` prints.

    Raises:
        InputError: There is no such file, or it holds neither MIDI nor media.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    rmid = head[:4] == b"RIFF" and head[8:12] == b"RMID"
    if path.suffix.lower() in _MIDI_SUFFIXES or head[:4] == b"MThd" or rmid:
        return describe_song(read_midi(read_limited(path, MidiLimits().max_bytes)))
    media = probe_media(path).model_dump(mode="json")
    media["size"] = media.pop("size_bytes")  # the name that the command promises
    return media


def probe_asset(spec: ProbeSpec, store: ObjectStore) -> ProbeReport:
    """Look into an uploaded file, and see whether it can be used as what it is meant as.

    Raises:
        InputError: It cannot; the message calls it by its name.
        StorageError: The object store failed, or has no such file.
    """
    with named_file(store, spec.asset_key, spec.name) as path:
        with naming(path):
            facts: dict[str, Any] = _brief(_LOOK[spec.kind](path))
        facts["size_bytes"] = path.stat().st_size
    return ProbeReport(asset_key=spec.asset_key, kind=spec.kind, facts=facts)


def _brief(found: Any) -> Any:
    """What was found without the rest of what is endless: a song may have 300,000 bars."""
    match found:
        case str():
            return found[:_LONGEST_TEXT]
        case list():
            return [_brief(each) for each in found[:_MOST_LISTED]]
        case dict():
            return {name: _brief(each) for name, each in found.items()}
    return found


def _look_at_midi(path: Path) -> dict[str, Any]:
    song = read_midi(read_limited(path, MidiLimits().max_bytes))
    density = note_density(song.notes, song.duration_s, _DRAWN_PARTS)
    return {**describe_song(song), "density": density.tolist()}


def _look_at_audio(path: Path) -> dict[str, Any]:
    outline = recording_outline(path, _DRAWN_PARTS)
    probe = probe_media(path)
    streams = [stream for stream in probe.streams if stream.type == "audio"]
    return {
        "kind": "audio",
        "container": probe.container,
        "duration_s": float(outline.duration_s),
        "codec": streams[0].codec,
        "sample_rate": streams[0].sample_rate,
        "channels": streams[0].channels,
        "bitrate_kbps": streams[0].bitrate_kbps,
        "waveform": list(outline.waveform),
    }


def _look_at_image(path: Path) -> dict[str, Any]:
    size = image_size(path)
    open_image(path, *_DECODED)
    return {"kind": "image", "width": size[0], "height": size[1]}


def _look_at_font(path: Path) -> dict[str, Any]:
    font = load_font(32, path)
    family, style = font.getname()
    return {"kind": "font", "family": family or "", "style": style or ""}


def _look_at_soundfont(path: Path) -> dict[str, Any]:
    check_soundfont(path)
    return {"kind": "soundfont"}


def _look_at_video(path: Path) -> dict[str, Any]:
    return {"kind": "video", **check_footage(path).model_dump(mode="json")}


_LOOK: Final[dict[AssetKind, Callable[[Path], dict[str, Any]]]] = {
    "midi": _look_at_midi,
    "audio": _look_at_audio,
    "image": _look_at_image,
    "font": _look_at_font,
    "soundfont": _look_at_soundfont,
    "video": _look_at_video,
}


def describe_song(song: Song) -> dict[str, Any]:
    """What is in a song; times in seconds."""
    pitches = song.notes.key[~song.notes.is_percussion]
    return {
        "kind": "midi",
        "format": song.format,
        "title": song.title,
        "notes": len(song.notes),
        "pitch_low": int(pitches.min()) if len(pitches) else None,
        "pitch_high": int(pitches.max()) if len(pitches) else None,
        "tracks": len(song.tracks),
        "start_s": float(song.notes.start_s[0]) if len(song.notes) else 0.0,
        "end_s": song.end_s,
        "duration_s": song.duration_s,
        "tempo_changes": [
            {"time_s": change.time_s, "bpm": change.bpm} for change in song.tempo_map.changes
        ],
        "meter_changes": [
            {
                "time_s": change.time_s,
                "numerator": change.numerator,
                "denominator": change.denominator,
            }
            for change in song.meter_map.changes
        ],
        "bars": song.meter_map.bars(song.duration_s).tolist(),
        "track_list": [
            {
                "index": track.index,
                "name": track.name,
                "notes": track.notes,
                "channels": list(track.channels),
                "program": track.program,
            }
            for track in song.tracks
        ],
        "warnings": [
            {"track": repair.track, "offset": repair.offset, "message": repair.message}
            for repair in song.repairs
        ],
    }
