"""A song as it was read, and how it is stored."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.errors import MidiError
from workers.midi.events import ChannelEvents
from workers.midi.meter import MeterMap
from workers.midi.notes import COLUMNS, FloatArray, NoteTable
from workers.midi.repairs import Repair
from workers.midi.sustain import pedal, sustain
from workers.midi.tempo import Division, TempoMap

_VERSION: Final = 1
_NO_TITLE: Final = re.compile(
    r"|(midi|tempo|conductor|control|global|master)?[ _-]*(track|untitled|unnamed|midi|sequence)?"
    r"[ _-]*#?\d*",
    re.IGNORECASE,
)
"""Names that programs give to a first track that has none."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip file can express: stored songs carry no clock."""
_NOTE_NAMES: Final = tuple(COLUMNS)
_EVENT_NAMES: Final = ("time_s", "status", "data1", "data2")
_METER_NAMES: Final = ("tick", "numerator", "denominator")


@dataclass(frozen=True, kw_only=True)
class TrackInfo:
    """What a track holds."""

    index: int
    """Number of the track, counted from 0, as in ``NoteTable.track``."""
    name: str
    """Its name, empty if it has none."""
    notes: int
    """How many notes it has."""
    channels: tuple[int, ...]
    """Channels that its messages are on, ascending, 0 to 15."""
    program: int | None
    """The first instrument that it selects, 0 to 127 (General MIDI: 0 is a piano)."""
    start_s: float
    """When it begins, in seconds: 0, but for the patterns of format 2."""
    end_s: float
    """When it ends, in seconds."""


@dataclass(frozen=True, kw_only=True)
class TextEvent:
    """A text in the song."""

    time_s: float
    """When, in seconds from the start of the song."""
    kind: str
    """title, track_name, text, copyright, instrument, lyric, marker, cue, program or device."""
    track: int
    """Number of its track, counted from 0."""
    text: str
    """The text as it stands in the file; in lyrics of karaoke files ``\\`` begins a verse and
    ``/`` a line."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Song:
    """Everything that a MIDI file says, in seconds."""

    format: int
    """0 and 1: the tracks sound together; 2: they are patterns, one after the other."""
    division: Division
    """What a tick is."""
    tracks: tuple[TrackInfo, ...]
    """The tracks in the order of the file, those without notes too."""
    notes: NoteTable
    """The notes as they are played; see sustained_notes() for the pedal."""
    tempo_map: TempoMap
    """Converts between ticks and seconds."""
    meter_map: MeterMap
    """Where bars and beats begin."""
    texts: tuple[TextEvent, ...]
    """Lyrics, names, markers and other texts in order of time."""
    events: ChannelEvents
    """All channel messages in the order in which they are played."""
    end_s: float
    """When the last note ends, in seconds; 0 without notes."""
    duration_s: float
    """When the last track ends, in seconds; not before ``end_s``."""
    repairs: tuple[Repair, ...]
    """What was wrong with the file and was put right."""

    @property
    def title(self) -> str:
        """The song's own title; empty where it has none but a program's default."""
        titles = (text.text.strip() for text in self.texts if text.kind == "title")
        return next((title for title in titles if not _NO_TITLE.fullmatch(title)), "")

    def pedal(self, channel: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Times in seconds at which the sustain pedal of a channel moves, and True for down."""
        return pedal(self.events, channel)

    def sustained_notes(self) -> NoteTable:
        """The notes, lengthened by the sustain pedal as told at :func:`.sustain.sustain`.

        Rows are the same as those of ``notes``, only ``end_s`` differs.
        """
        return self._sustained

    @cached_property
    def _sustained(self) -> NoteTable:
        ends = np.array([track.end_s for track in self.tracks], dtype=np.float64)
        return sustain(self.notes, self.events, ends)

    def to_bytes(self) -> bytes:
        """Store the song: a zip of NumPy arrays and one JSON document.

        The same song gives the same bytes. It is not compressed, so that a million notes load
        at once, and so that the bytes depend on no version of a compressor.
        """
        meta = {
            "version": _VERSION,
            "format": self.format,
            "division": {
                **asdict(self.division),
                "frame_rate": self.division.frame_rate and str(self.division.frame_rate),
            },
            "tracks": [asdict(track) for track in self.tracks],
            "texts": [asdict(text) for text in self.texts],
            "end_s": self.end_s,
            "duration_s": self.duration_s,
            "repairs": [asdict(repair) for repair in self.repairs],
        }
        arrays: dict[str, npt.NDArray[Any]] = {
            **{f"notes.{name}": getattr(self.notes, name) for name in _NOTE_NAMES},
            **{f"events.{name}": getattr(self.events, name) for name in _EVENT_NAMES},
            **{f"meter.{name}": getattr(self.meter_map, name) for name in _METER_NAMES},
            "tempo.tick": self.tempo_map.tick,
            "tempo.tempo": self.tempo_map.tempo,
        }
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps(meta, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
            archive.writestr(zipfile.ZipInfo("song.json", _EPOCH), text)
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w") as member:
                    np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
        return target.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Song:
        """Load a song that :meth:`to_bytes` stored.

        Raises:
            MidiError: The bytes are damaged, or from another version of midifarm.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                meta = json.loads(archive.read("song.json"))
                if meta["version"] != _VERSION:
                    raise MidiError(
                        f"The stored notes have version {meta['version']}, this midifarm reads "
                        f"{_VERSION}; read the MIDI file again."
                    )
                return cls._from_parts(meta, lambda name: _load(archive, name))
        except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError) as error:
            raise _damaged() from error
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise _damaged() from error

    @classmethod
    def _from_parts(cls, meta: dict[str, Any], load: Callable[[str], npt.NDArray[Any]]) -> Song:
        division = meta["division"]
        rate = division["frame_rate"]
        tempo_map = TempoMap(
            division=Division(
                ticks_per_quarter=division["ticks_per_quarter"],
                ticks_per_frame=division["ticks_per_frame"],
                frame_rate=Fraction(rate) if rate else None,
            ),
            tick=load("tempo.tick"),
            tempo=load("tempo.tempo"),
        )
        return cls(
            format=meta["format"],
            division=tempo_map.division,
            tracks=tuple(
                TrackInfo(**{**track, "channels": tuple(track["channels"])})
                for track in meta["tracks"]
            ),
            notes=NoteTable(**{name: load(f"notes.{name}") for name in _NOTE_NAMES}),
            tempo_map=tempo_map,
            meter_map=MeterMap(
                tempo_map=tempo_map, **{name: load(f"meter.{name}") for name in _METER_NAMES}
            ),
            texts=tuple(TextEvent(**text) for text in meta["texts"]),
            events=ChannelEvents(**{name: load(f"events.{name}") for name in _EVENT_NAMES}),
            end_s=meta["end_s"],
            duration_s=meta["duration_s"],
            repairs=tuple(Repair(**repair) for repair in meta["repairs"]),
        )


def _load(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    with archive.open(f"{name}.npy") as member:
        array: npt.NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array


def _damaged() -> MidiError:
    return MidiError("The stored notes are damaged; read the MIDI file again.")
