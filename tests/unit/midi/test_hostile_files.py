"""Whatever the bytes are: a song, or a MidiError; never anything else."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import MidiError
from workers.midi import Song, read_midi


def survives(data: bytes) -> None:
    with contextlib.suppress(MidiError):
        song = read_midi(data)
        assert song.notes.start_s.min(initial=0) >= 0
        assert (song.notes.end_s > song.notes.start_s).all()
        assert song.duration_s >= song.end_s
        song.sustained_notes()
        song.meter_map.beats(song.duration_s)
        assert Song.from_bytes(song.to_bytes()).to_bytes() == song.to_bytes()


@given(st.binary(max_size=400), st.integers(0, 3), st.integers(0, 0xFFFF))
def test_random_bytes_in_a_track(midi, events: bytes, kind: int, division: int) -> None:
    survives(midi.file(midi.chunk(events), midi.chunk(events), kind=kind, division=division))


@given(st.binary(max_size=200))
def test_random_bytes_behind_a_header(midi, data: bytes) -> None:
    survives(data)
    survives(midi.header() + data)
    survives(midi.header() + b"MTrk" + data)


@settings(max_examples=200)
@given(st.data())
def test_mutations_of_a_good_file(midi, data: st.DataObject) -> None:
    good = midi.file(
        midi.track(midi.meta(0, 3, b"name"), midi.tempo(0, 400_000), midi.meter(9, 6, 3)),
        midi.track(midi.scale(), midi.control(0, 64, 127), b"\x00\xf0\x02\x01\xf7", midi.scale()),
    )
    mutant = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(mutant) - 1, 0)))
        what = data.draw(st.sampled_from(("flip", "drop", "insert", "cut")))
        if what == "flip":
            mutant[at : at + 1] = bytes(
                b ^ 1 << data.draw(st.integers(0, 7)) for b in mutant[at : at + 1]
            )
        elif what == "drop":
            del mutant[at : at + 1]
        elif what == "insert":
            mutant.insert(at, data.draw(st.integers(0, 255)))
        else:
            del mutant[max(at, 1) :]
    survives(bytes(mutant))


def test_one_flipped_bit_never_loses_the_whole_song(midi) -> None:
    good = midi.file(midi.track(midi.scale()), midi.track(midi.scale()))
    for at in range(14, len(good)):
        for bit in range(8):
            mutant = bytearray(good)
            mutant[at] ^= 1 << bit
            assert len(read_midi(bytes(mutant)).notes) >= 7


def test_many_tiny_tracks_and_chunks_take_no_time(midi) -> None:
    survives(midi.header(5000) + midi.chunk(midi.EOT, length=2**31) * 5000)
    survives(midi.header(1) + midi.chunk(b"", name=b"Junk") * 20_000 + midi.track(midi.scale()))
    inner = midi.chunk(midi.EOT) * 5000
    for kind in (1, 2):
        survives(midi.header(1, kind=kind) + midi.chunk(midi.EOT + inner))


def test_long_runs_of_the_same_byte_take_no_time(midi) -> None:
    for byte in (0, 0x40, 0x7F, 0x80, 0x90, 0xC0, 0xE5, 0xF0, 0xF1, 0xF7, 0xF8, 0xFE, 0xFF):
        survives(midi.file(midi.chunk(bytes([byte]) * 3000)))
        survives(midi.file(midi.chunk(b"\x00\x90\x40" + bytes([byte]) * 3000)))
