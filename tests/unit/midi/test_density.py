"""How dense a song is, part by part."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shared.intake import ProbeSpec
from shared.storage.local import LocalStore
from tests.songs import SongFile
from workers.inspection import describe_song, probe_asset
from workers.midi import NoteTable
from workers.midi.density import note_density


def notes(*spans: tuple[float, float]) -> NoteTable:
    start_s, end_s = np.array(spans, float).reshape(-1, 2).T
    ones = np.ones(len(spans))
    columns = dict.fromkeys(("key", "velocity", "channel", "track"), ones)
    return NoteTable.build(start_s=start_s, end_s=end_s, **columns)


@pytest.mark.parametrize(
    ("spans", "density"),
    [
        ([], [0, 0, 0, 0]),
        ([(0, 8)], [1, 1, 1, 1]),
        ([(4, 6), (4, 8), (5, 8)], [0, 0, 3, 2]),
        ([(0, 2), (2, 4), (4, 6), (6, 8)], [1, 1, 1, 1]),  # each ends where the next begins
        ([(1.9, 2.1)], [1, 1, 0, 0]),
        ([(3, 3.01), (3.5, 3.51)], [0, 2, 0, 0]),  # staccato
        ([(8, 8), (9, 10)], [0, 0, 0, 2]),  # at the end, and beyond
    ],
)
def test_a_note_counts_in_each_part_in_which_it_sounds(
    spans: list[tuple[float, float]], density: list[int]
) -> None:
    assert note_density(notes(*spans), 8.0, 4).tolist() == density


def test_a_song_of_no_length_has_no_density() -> None:
    assert note_density(NoteTable.empty(), 0.0, 4).tolist() == [0, 0, 0, 0]
    assert note_density(notes((0, 0)), 0.0, 4).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("duration_s", [0.1, 1 / 3, 7.7, 240.017])
def test_equal_notes_one_after_the_other_are_equally_dense_everywhere(duration_s: float) -> None:
    edges = np.linspace(0, duration_s, 401)
    spans = notes(*pairwise(edges))
    assert note_density(spans, duration_s, 400).tolist() == [1] * 400


def test_a_million_notes_are_counted() -> None:
    start_s = np.linspace(0, 100, 1_000_000, endpoint=False)
    zeros = np.zeros(1_000_000)
    table = NoteTable(
        start_s=start_s,
        end_s=start_s + 1e-5,
        **dict.fromkeys(("key", "velocity", "channel", "track"), zeros),
    )
    assert note_density(table, 100.0, 400).tolist() == [2500] * 400


def test_an_uploaded_song_tells_its_density_and_its_range(tmp_path: Path) -> None:
    file = SongFile().note(1, 2, 60).note(1.5, 2, 72).note(0.5, 1, 36, channel=9)
    store = LocalStore(tmp_path)
    store.put_bytes("assets/aa/aa", file.to_bytes())
    facts = probe_asset(
        ProbeSpec(asset_key="assets/aa/aa", name="Song.mid", kind="midi"), store
    ).facts
    assert facts["duration_s"] == 2.0
    assert facts["density"] == [0] * 100 + [1] * 200 + [2] * 100
    assert (facts["pitch_low"], facts["pitch_high"]) == (60, 72), "drums have no pitch"


def test_the_description_for_the_command_line_has_no_density() -> None:
    described = describe_song(SongFile().song())
    assert "density" not in described
    assert (described["pitch_low"], described["pitch_high"]) == (None, None)
