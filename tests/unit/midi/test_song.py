"""Songs are stored and loaded."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from shared.errors import MidiError
from workers.midi import Song, read_midi


@pytest.fixture
def data(midi) -> bytes:
    return midi.file(
        midi.track(midi.meta(0, 3, b"S\xf6ng"), midi.tempo(0, 345_678), midi.meter(0, 3, 2)),
        midi.track(midi.scale(), midi.on(0, 60), b"\x00\xf8"),
    )


@pytest.mark.parametrize("division", [96, 0xE250])
def test_a_stored_song_comes_back(data: bytes, division: int) -> None:
    data = data[:12] + division.to_bytes(2, "big") + data[14:]
    song = read_midi(data)
    stored = song.to_bytes()
    assert read_midi(data).to_bytes() == stored
    loaded = Song.from_bytes(stored)
    assert loaded.to_bytes() == stored
    assert (loaded.tracks, loaded.texts, loaded.repairs) == (song.tracks, song.texts, song.repairs)
    assert loaded.division == song.division
    assert loaded.tempo_map.changes == song.tempo_map.changes
    np.testing.assert_array_equal(loaded.meter_map.bars(9), song.meter_map.bars(9))
    np.testing.assert_array_equal(loaded.notes.visible(1, 2), song.notes.visible(1, 2))
    np.testing.assert_array_equal(loaded.sustained_notes().end_s, song.sustained_notes().end_s)


def test_a_song_can_be_pickled(data: bytes) -> None:
    song = read_midi(data)
    assert pickle.loads(pickle.dumps(song)).to_bytes() == song.to_bytes()  # noqa: S301


def test_damaged_stored_songs_are_refused(data: bytes) -> None:
    stored = read_midi(data).to_bytes()
    other_version = stored.replace(b'"version":1', b'"version":9')
    for broken in (b"", b"PK", stored[:-30], stored[100:], other_version):
        with pytest.raises(MidiError, match="stored notes"):
            Song.from_bytes(broken)
