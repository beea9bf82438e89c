"""Telling what is in a file, MIDI or media, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from shared.errors import InputError
from workers.intake import read_limited
from workers.midi import MidiLimits, Song, read_midi
from workers.probe import probe_media

_MIDI_SUFFIXES: Final = {".mid", ".midi", ".kar", ".rmi", ".smf"}
_HEAD_BYTES: Final = 64


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


def describe_song(song: Song) -> dict[str, Any]:
    """What is in a song; times in seconds."""
    return {
        "kind": "midi",
        "format": song.format,
        "title": song.title,
        "notes": len(song.notes),
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
