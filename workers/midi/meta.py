"""Meta events: tempo, meter, names, lyrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mido.midifiles.meta import KeySignatureError, build_meta_message

from shared.errors import MidiError
from workers.midi.limits import MidiLimits
from workers.midi.repairs import RepairLog

TEXT_KINDS: Final = {
    0x01: "text",
    0x02: "copyright",
    0x03: "track_name",
    0x04: "instrument",
    0x05: "lyric",
    0x06: "marker",
    0x07: "cue",
    0x08: "program",
    0x09: "device",
}
"""Kinds of text by the type byte of the meta event (Standard MIDI Files 1.0, RP-019)."""
FIXED_SIZES: Final = {
    0x00: 2,
    0x20: 1,
    0x21: 1,
    0x2F: 0,
    0x51: 3,
    0x54: 5,
    0x58: 4,
    0x59: 2,
}
"""Bytes of data in meta events that always have the same size."""
END_OF_TRACK: Final = 0x2F
_SET_TEMPO: Final = 0x51
_TIME_SIGNATURE: Final = 0x58
_KEY_SIGNATURE: Final = 0x59
_MAX_DENOMINATOR: Final = 128


@dataclass(frozen=True, kw_only=True)
class RawText:
    """A text at a tick."""

    tick: int
    """When, in ticks from the start of the song."""
    track: int
    """Number of the track, counted from 0."""
    kind: str
    """One of the values of TEXT_KINDS."""
    text: str
    """The text, decoded, never empty."""


class MetaCollector:
    """Takes the meta events of all tracks and keeps those that matter.

    Raises:
        MidiError: There are more tempo and meter changes than the limits allow.
    """

    def __init__(self, limits: MidiLimits, log: RepairLog) -> None:
        self._limits = limits
        self._log = log
        self._too_many_texts = False
        self.tempos: list[tuple[int, int]] = []
        """(tick, microseconds per quarter), track after track."""
        self.meters: list[tuple[int, int, int]] = []
        """(tick, numerator, denominator), track after track."""
        self.texts: list[RawText] = []
        """Texts, track after track."""

    def take(self, track: int, tick: int, offset: int, kind: int, data: bytes) -> None:
        """Keep what the meta event says, if it says something that is used."""
        if kind in TEXT_KINDS:
            self._take_text(track, tick, offset, kind, data)
        elif kind in (_SET_TEMPO, _TIME_SIGNATURE, _KEY_SIGNATURE):
            size = FIXED_SIZES[kind]
            if len(data) < size:
                self._log.add(
                    track,
                    offset,
                    f"A meta event 0x{kind:02X} with {len(data)} instead of {size} bytes "
                    "was left out.",
                )
            elif kind == _SET_TEMPO:
                self._take_tempo(track, tick, offset, data)
            elif kind == _TIME_SIGNATURE:
                self._take_meter(track, tick, offset, data)
            else:
                self._check_key(track, offset, data)

    def _take_tempo(self, track: int, tick: int, offset: int, data: bytes) -> None:
        tempo: int = build_meta_message(_SET_TEMPO, data).tempo
        if tempo == 0:
            self._log.add(track, offset, "A tempo of 0 µs per quarter note was left out.")
            return
        self.tempos.append((tick, tempo))
        self._check_map_size()

    def _take_meter(self, track: int, tick: int, offset: int, data: bytes) -> None:
        # Not by mido: it refuses some powers of two as no powers of two.
        numerator, power = data[0], data[1]
        if 2**power <= _MAX_DENOMINATOR:
            denominator = 2**power
        elif power in (8, 16, 32, 64):
            # The file should hold the power of two; some programs wrote the denominator.
            denominator = power
            self._log.add(
                track, offset, f"A time signature of {numerator}/2^{power} was read as /{power}."
            )
        else:
            self._log.add(track, offset, f"A time signature of {numerator}/2^{power} was left out.")
            return
        if numerator == 0:
            self._log.add(track, offset, "A time signature with no beats was left out.")
            return
        self.meters.append((tick, numerator, denominator))
        self._check_map_size()

    def _check_key(self, track: int, offset: int, data: bytes) -> None:
        try:
            build_meta_message(_KEY_SIGNATURE, data)
        except KeySignatureError:
            self._log.add(
                track,
                offset,
                f"A key signature that does not exist ({data[0]}, {data[1]}) was left out.",
            )

    def _take_text(self, track: int, tick: int, offset: int, kind: int, data: bytes) -> None:
        if len(self.texts) >= self._limits.max_texts:
            if not self._too_many_texts:
                self._too_many_texts = True
                self._log.add(
                    track,
                    offset,
                    f"Texts after the first {self._limits.max_texts} were left out.",
                )
            return
        if len(data) > self._limits.max_text_bytes:
            self._log.add(
                track,
                offset,
                f"A text of more than {self._limits.max_text_bytes} bytes was cut off there.",
            )
        text = decode_text(data[: self._limits.max_text_bytes])
        if text:
            self.texts.append(RawText(tick=tick, track=track, kind=TEXT_KINDS[kind], text=text))

    def _check_map_size(self) -> None:
        if len(self.tempos) + len(self.meters) > self._limits.max_map_changes:
            raise MidiError(
                f"The MIDI file changes tempo or meter more than {self._limits.max_map_changes} "
                "times; thin out its tempo track."
            )


def decode_text(data: bytes) -> str:
    """Read a text as UTF-8, else as Windows-1252, else as Latin-1; zeros at its end go.

    Zeros within become spaces: no database keeps them.
    """
    data = data.rstrip(b"\0").replace(b"\0", b" ")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
