"""Builds MIDI files byte by byte, the good and the bad."""

from __future__ import annotations

import struct

import pytest


class MidiBytes:
    """The pieces that MIDI files are made of."""

    EOT = b"\x00\xff\x2f\x00"
    """End of track, without a pause."""

    @staticmethod
    def number(value: int) -> bytes:
        """A variable-length number."""
        out = [value & 0x7F]
        while value := value >> 7:
            out.append(value & 0x7F | 0x80)
        return bytes(reversed(out))

    def on(self, delta: int, key: int, velocity: int = 64, channel: int = 0) -> bytes:
        """A note-on after ``delta`` ticks."""
        return self.number(delta) + bytes((0x90 | channel, key, velocity))

    def off(self, delta: int, key: int, channel: int = 0) -> bytes:
        """A note-off after ``delta`` ticks."""
        return self.number(delta) + bytes((0x80 | channel, key, 64))

    def control(self, delta: int, controller: int, value: int, channel: int = 0) -> bytes:
        """A control change after ``delta`` ticks."""
        return self.number(delta) + bytes((0xB0 | channel, controller, value))

    def meta(self, delta: int, kind: int, data: bytes) -> bytes:
        """A meta event after ``delta`` ticks."""
        return self.number(delta) + bytes((0xFF, kind)) + self.number(len(data)) + data

    def tempo(self, delta: int, microseconds: int) -> bytes:
        """A tempo event after ``delta`` ticks."""
        return self.meta(delta, 0x51, microseconds.to_bytes(3, "big"))

    def meter(self, delta: int, numerator: int, power: int) -> bytes:
        """A time signature after ``delta`` ticks; the denominator is ``2**power``."""
        return self.meta(delta, 0x58, bytes((numerator, power, 24, 8)))

    def chunk(self, data: bytes, *, name: bytes = b"MTrk", length: int | None = None) -> bytes:
        """A chunk; ``length`` makes it lie about its length."""
        return name + struct.pack(">I", len(data) if length is None else length) + data

    def track(self, *events: bytes) -> bytes:
        """A track with an end-of-track event."""
        return self.chunk(b"".join(events) + self.EOT)

    def header(self, tracks: int = 1, *, kind: int = 1, division: int = 96) -> bytes:
        """A header."""
        return b"MThd" + struct.pack(">IHHH", 6, kind, tracks, division)

    def file(self, *tracks: bytes, kind: int = 1, division: int = 96) -> bytes:
        """A file with these chunks."""
        return self.header(len(tracks), kind=kind, division=division) + b"".join(tracks)

    def scale(self) -> bytes:
        """The events of eight quarter notes, one after the other."""
        keys = (60, 62, 64, 65, 67, 69, 71, 72)
        return b"".join(self.on(0, key) + self.off(96, key) for key in keys)


@pytest.fixture(scope="session")
def midi() -> MidiBytes:
    """The pieces that MIDI files are made of."""
    return MidiBytes()
