"""Bars and beats."""

from __future__ import annotations

import numpy as np
import pytest

from workers.midi import Division, MeterMap, TempoMap, read_midi
from workers.midi.meter import MAX_BEATS


def grid(meters, tempos=(), per_quarter: int = 96) -> MeterMap:
    tempo_map = TempoMap.build(Division(ticks_per_quarter=per_quarter), tempos)
    return MeterMap.build(tempo_map, meters)


def test_bars_of_four_quarters_without_a_signature() -> None:
    times, is_bar = grid([]).beats(4)
    assert times.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    assert times[is_bar].tolist() == grid([]).bars(4).tolist() == [0, 2]


def test_bars_follow_the_tempo() -> None:
    bars = grid([(0, 3, 4)], [(3 * 96, 1_000_000)]).bars(10)
    assert bars.tolist() == [0, 1.5, 4.5, 7.5]


def test_a_meter_change_begins_a_bar() -> None:
    meters = grid([(0, 4, 4), (5 * 96, 6, 8)])
    assert meters.bars(6).tolist() == [0, 2, 2.5, 4, 5.5]
    assert len(meters.beats(2.5)[0]) == 5
    assert np.diff(meters.beats(5)[0])[-1] == 0.25
    assert [c.time_s for c in meters.changes] == [0, 2.5]


def test_a_repeated_signature_changes_nothing() -> None:
    assert grid([(0, 4, 4), (96, 4, 4)]).bars(4).tolist() == [0, 2]


def test_beats_that_are_no_whole_ticks() -> None:
    times, is_bar = grid([(0, 3, 8)], per_quarter=1).beats(3)
    np.testing.assert_allclose(times, np.arange(12) * 0.25)
    np.testing.assert_allclose(times[is_bar], [0, 0.75, 1.5, 2.25])


@pytest.mark.parametrize("until_s", [0, -1, float("nan")])
def test_no_time_has_no_beats(until_s: float) -> None:
    assert len(grid([]).bars(until_s)) == 0


def test_the_grid_has_an_end() -> None:
    assert len(grid([(0, 1, 128)], [(0, 1)]).beats(86_400)[0]) == MAX_BEATS


def test_a_file_with_too_fine_a_grid_says_so(midi) -> None:
    song = read_midi(
        midi.file(midi.track(midi.meter(0, 1, 7), midi.on(0, 60), midi.off(4_000_000, 60)))
    )
    assert "grid of beats" in song.repairs[-1].message
