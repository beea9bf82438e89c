"""No file asks for more than it may."""

from __future__ import annotations

import pytest

from shared.errors import MidiError
from workers.midi import MidiLimits, read_midi


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (MidiLimits(max_bytes=50), "50"),
        (MidiLimits(max_tracks=1), "tracks"),
        (MidiLimits(max_events=10), "events"),
        (MidiLimits(max_notes=15), "16 notes"),
        (MidiLimits(max_map_changes=1), "tempo or meter"),
        (MidiLimits(max_duration_s=3), "hours"),
    ],
)
def test_beyond_a_limit_the_file_is_refused(midi, limits: MidiLimits, word: str) -> None:
    track = midi.track(midi.tempo(0, 500_000), midi.scale())
    with pytest.raises(MidiError, match=word):
        read_midi(midi.file(track, track), limits)


def test_a_file_at_its_limits_is_read(midi) -> None:
    data = midi.file(midi.track(midi.scale()))
    limits = MidiLimits(
        max_bytes=len(data), max_tracks=1, max_events=20, max_notes=8, max_duration_s=4
    )
    assert len(read_midi(data, limits).notes) == 8


def test_texts_beyond_the_limits_are_left_out(midi) -> None:
    texts = [midi.meta(0, 1, b"abcdef") for _ in range(5)]
    song = read_midi(midi.file(midi.track(*texts)), MidiLimits(max_texts=2, max_text_bytes=3))
    assert [text.text for text in song.texts] == ["abc", "abc"]
    assert len(song.repairs) == 3


def test_repairs_beyond_the_limit_are_counted(midi) -> None:
    broken = [midi.tempo(0, 0)] * 10
    song = read_midi(midi.file(midi.track(*broken)), MidiLimits(max_repairs=4))
    assert len(song.repairs) == 5
    assert song.repairs[-1].message == "6 more repairs are not listed."


def test_a_track_with_too_many_damages_is_given_up(midi) -> None:
    broken = b"\x00\x90\x3c\xf5" * 30
    data = midi.file(midi.track(midi.scale(), broken), midi.track(midi.scale()))
    song = read_midi(data, MidiLimits(max_damages=5))
    assert [track.notes >= 8 for track in song.tracks] == [True, True]
    assert any("rest was cut" in repair.message for repair in song.repairs)


def test_a_song_of_days_is_refused(midi) -> None:
    long = b"".join(midi.on(8_000_000, 60) for _ in range(3))
    with pytest.raises(MidiError, match="hours"):
        read_midi(midi.file(midi.track(long)))
