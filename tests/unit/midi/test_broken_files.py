"""Files with a fault: what is left of them is read, and the fault is named."""

from __future__ import annotations

import pytest

from shared.errors import MidiError
from workers.midi import MIN_NOTE_S, Song, read_midi


def repaired(data: bytes, word: str) -> Song:
    """The song in ``data``, which must come with a repair that mentions ``word``."""
    song = read_midi(data)
    assert any(word in repair.message for repair in song.repairs), song.repairs
    return song


def test_header_that_promises_other_numbers_of_tracks(midi) -> None:
    track = midi.track(midi.scale())
    for promised in (0, 1, 3, 65_535):
        song = repaired(midi.header(promised) + track + track, "promises")
        assert len(song.notes) == 16


def test_header_with_another_length(midi) -> None:
    track = midi.track(midi.scale())
    fields = midi.header()[8:]
    for header in (
        b"MThd\x00\x00\x00\x08" + fields + b"\x00\x00",
        b"MThd\x00\x00\x00\x00" + fields,
        b"MThd\xff\xff\xff\xff" + fields,
    ):
        song = repaired(header + track, "header")
        assert (len(song.notes), song.end_s) == (8, 4)


def test_missing_header(midi) -> None:
    song = repaired(midi.track(midi.scale()), "header is missing")
    assert song.division.ticks_per_quarter == 480
    assert len(song.notes) == 8


def test_bytes_before_the_header(midi) -> None:
    song = repaired(b"\x00" * 128 + midi.file(midi.track(midi.scale())), "128 bytes before")
    assert len(song.notes) == 8


def test_unknown_format_and_division_of_zero(midi) -> None:
    song = repaired(midi.file(midi.track(midi.scale()), kind=7), "format 7")
    assert song.format == 1
    song = repaired(midi.file(midi.track(midi.scale()), division=0), "division")
    assert song.end_s == pytest.approx(8 * 0.5 * 96 / 480)


def test_header_alone_is_refused(midi) -> None:
    for data in (midi.header(), midi.header()[:9]):
        with pytest.raises(MidiError, match="no track"):
            read_midi(data)


@pytest.mark.parametrize("length", [0, 1, 10, 57, 300, 0x7FFFFFFF])
def test_track_that_lies_about_its_length(midi, length: int) -> None:
    events = midi.scale() + midi.EOT
    lying = midi.chunk(events, length=length)
    song = repaired(midi.file(lying, midi.track(midi.scale())), "says it has")
    assert [track.notes for track in song.tracks] == [8, 8]
    assert song.repairs[0].track == 0
    assert song.repairs[0].offset == 18


def test_track_that_swallows_the_next_one(midi) -> None:
    first, second = midi.track(midi.scale()), midi.track(midi.scale())
    length = len(first) + len(second) - 8
    swallowing = b"MTrk" + length.to_bytes(4, "big") + first[8:]
    song = repaired(midi.header(2) + swallowing + second, "another follows")
    assert [track.notes for track in song.tracks] == [8, 8]


def test_file_that_breaks_off(midi) -> None:
    data = midi.file(midi.track(midi.scale()))
    song = repaired(data[:-20], "end-of-track event is missing")
    assert 4 <= len(song.notes) < 8


def test_alien_chunks_and_trailing_bytes(midi) -> None:
    alien = midi.chunk(b"This is no track", name=b"Junk")
    data = midi.file(alien, midi.track(midi.scale()), alien, midi.track(midi.scale()))
    song = repaired(data + b"\x1a\x00garbage", "after the last track")
    assert [track.notes for track in song.tracks] == [8, 8]
    assert "Junk" in song.repairs[0].message


def test_misspelt_track(midi) -> None:
    song = repaired(midi.file(midi.chunk(midi.scale() + midi.EOT, name=b"MTrj")), "MTrj")
    assert len(song.notes) == 8


def test_second_file_behind_the_first(midi) -> None:
    data = midi.file(midi.track(midi.scale()))
    assert len(repaired(data + data, "second MIDI file").notes) == 8


def test_padding_is_no_fault(midi) -> None:
    song = read_midi(midi.file(midi.chunk(midi.scale() + midi.EOT)) + b"\x00" * 50)
    assert len(song.notes) == 8
    assert len(song.repairs) == 1


def test_running_status_over_meta_and_sysex(midi) -> None:
    events = midi.on(0, 60) + b"\x60\x3c\x00\x00\xf0\x03\x7e\x7f\xf7\x00\x3e\x40\x60\x3e\x00"
    song = repaired(midi.file(midi.track(events)), "running status")
    assert song.notes.key.tolist() == [60, 62]
    assert song.end_s == 1


def test_data_without_any_status(midi) -> None:
    song = repaired(midi.file(midi.track(b"\x00\x3c\x40\x00", midi.on(0, 60))), "no message")
    assert len(song.notes) == 1


def test_velocity_beyond_127_is_127(midi) -> None:
    loud = b"\x00\x90\x3c\xc8" + midi.off(96, 60)
    song = repaired(midi.file(midi.track(midi.scale(), loud, midi.scale())), "127")
    assert len(song.notes) == 17
    assert song.notes.velocity.max() == 127


def test_message_that_is_cut_off_by_another(midi) -> None:
    song = repaired(midi.file(midi.track(b"\x00\x90\x3c", midi.on(0, 62)[1:], midi.scale())), "cut")
    assert len(song.notes) == 9


def test_real_time_bytes_between_and_inside_messages(midi) -> None:
    for broken in (b"\x00\xf8\x00\xfe\x00\x90\x30\x40", b"\x00\x90\x30\xf8\x40"):
        song = read_midi(midi.file(midi.track(broken, midi.off(96, 0x30), midi.scale())))
        assert song.notes.key.tolist()[0] == 0x30
        assert len(song.notes) == 9
        assert song.notes.end_s[0] == 0.5
        assert song.repairs


@pytest.mark.parametrize("size", [b"\xf1\x05", b"\xf2\x05\x06", b"\xf3\x01", b"\xf4", b"\xf6"])
def test_system_common_messages_are_skipped(midi, size: bytes) -> None:
    song = repaired(midi.file(midi.track(b"\x00" + size, midi.scale())), "no place")
    assert (len(song.notes), song.end_s) == (8, 4)


def test_key_signatures_are_never_fatal(midi) -> None:
    song = repaired(midi.file(midi.track(midi.meta(0, 0x59, b"\xf8\x00"), midi.scale())), "key")
    assert len(song.notes) == 8


def test_senseless_tempos_and_meters_are_left_out(midi) -> None:
    broken = (
        midi.tempo(0, 0),
        midi.meta(0, 0x51, b"\x01"),
        midi.meta(0, 0x58, b""),
        midi.meter(0, 0, 2),
        midi.meter(0, 4, 200),
    )
    song = read_midi(midi.file(midi.track(*broken, midi.scale())))
    assert len(song.repairs) == len(broken)
    assert song.end_s == 4
    assert [change.numerator for change in song.meter_map.changes] == [4]


def test_denominator_that_is_written_out(midi) -> None:
    song = repaired(midi.file(midi.track(midi.meter(0, 6, 8), midi.scale())), "/8")
    assert song.meter_map.changes[0].denominator == 8


@pytest.mark.parametrize("kind", [0x01, 0x51, 0x7F])
def test_meta_event_longer_than_its_track(midi, kind: int) -> None:
    liar = b"\x00\xff" + bytes((kind,)) + b"\xff\x7f" + b"\x07\xa1\x20"
    song = repaired(midi.file(midi.track(midi.scale(), liar, midi.scale())), "runs past")
    assert len(song.notes) == 16


def test_sysex_longer_than_its_track(midi) -> None:
    liar = b"\x00\xf0\xff\x7f\x41\x10\x42\xf7"
    song = repaired(midi.file(midi.track(midi.scale(), liar, midi.scale())), "runs past")
    assert (len(song.notes), song.end_s) == (16, 8)


def test_pauses_that_no_song_has_are_left_out(midi) -> None:
    for pause in (b"\xff\xff\xff\x7f", b"\x8f\xff\xff\xff\x7f"):
        events = midi.scale() + pause + midi.on(0, 60)[1:] + midi.off(96, 60)
        song = repaired(midi.file(midi.track(events)), "pause")
        assert song.end_s == 4.5
    song = repaired(midi.file(midi.track(b"\x80\x80\x80\x80\x60", midi.scale()[1:])), "5 bytes")
    assert song.end_s == 4.5


def test_end_of_track_that_comes_after_days_does_not_count(midi) -> None:
    far = b"".join(midi.meta(8_000_000, 6, b"x") for _ in range(3)) + midi.EOT
    song = repaired(midi.file(midi.chunk(midi.scale() + midi.on(0, 50) + far)), "moved forward")
    assert song.duration_s == pytest.approx(4, abs=MIN_NOTE_S)


def test_hanging_notes_end_with_their_track(midi) -> None:
    song = repaired(midi.file(midi.track(midi.on(0, 30), midi.on(96, 32), midi.scale())), "2 notes")
    assert song.notes.end_s[song.notes.key <= 32].tolist() == [4.5, 4.5]
    assert (song.repairs[0].track, song.repairs[0].offset) == (0, 23)


def test_notes_without_length_can_be_seen(midi) -> None:
    events = (midi.on(0, 60), midi.off(0, 60)) * 3
    song = repaired(midi.file(midi.track(midi.scale(), *events)), "3 notes have no length")
    assert song.notes.end_s[-1] == 4 + MIN_NOTE_S
    assert len(song.repairs) == 1


def test_one_lost_track_leaves_the_others(midi) -> None:
    lost = midi.chunk(bytes(range(256)) * 400)
    song = read_midi(midi.file(midi.track(midi.scale()), lost, midi.track(midi.scale())))
    assert song.tracks[0].notes == song.tracks[-1].notes == 8


def test_no_time_signature_is_fatal(midi) -> None:
    for power in range(256):
        song = read_midi(midi.file(midi.track(midi.meter(0, 3, power), midi.scale())))
        assert len(song.notes) == 8
        assert bool(song.repairs) == (power > 7)
