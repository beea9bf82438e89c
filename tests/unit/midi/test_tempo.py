"""Ticks and seconds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.midi import Division, TempoMap, read_midi

PPQ = Division(ticks_per_quarter=96)


def test_120_bpm_until_the_file_says_otherwise(midi) -> None:
    late = midi.track(midi.tempo(192, 250_000))
    song = read_midi(midi.file(midi.track(midi.scale()), late))
    assert [(c.time_s, c.bpm) for c in song.tempo_map.changes] == [(0, 120), (1, 240)]
    assert song.end_s == 1 + 6 * 0.25


def test_of_two_tempos_on_one_tick_the_last_counts() -> None:
    tempo_map = TempoMap.build(PPQ, [(0, 1), (0, 400_000), (96, 7), (96, 300_000)])
    assert tempo_map.tempo.tolist() == [400_000, 300_000]


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 0xFFFFFF)), max_size=30),
    st.lists(st.integers(0, 2 * 10**7), min_size=1, max_size=30),
    st.integers(1, 0x7FFF),
)
def test_time_is_exact(changes: list[tuple[int, int]], ticks: list[int], per_quarter: int) -> None:
    tempo_map = TempoMap.build(Division(ticks_per_quarter=per_quarter), sorted(changes))
    at = {0: 500_000, **dict(sorted(changes))}
    times = tempo_map.seconds(np.array(ticks))
    for tick, time_s in zip(ticks, times.tolist(), strict=True):
        exact, last, tempo = Fraction(0), 0, 500_000
        for change in sorted(at):
            if change > tick:
                break
            exact += Fraction((change - last) * tempo, per_quarter * 1_000_000)
            last, tempo = change, at[change]
        exact += Fraction((tick - last) * tempo, per_quarter * 1_000_000)
        assert time_s == float(exact)
    np.testing.assert_allclose(tempo_map.ticks(times), ticks, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    ("frames", "rate"),
    [(24, Fraction(24)), (25, Fraction(25)), (29, Fraction(30_000, 1001)), (30, Fraction(30))],
)
def test_smpte_time_knows_no_tempo(midi, frames: int, rate: Fraction) -> None:
    word = (256 - frames) << 8 | 40
    song = read_midi(midi.file(midi.track(midi.tempo(0, 1), midi.scale()), division=word))
    assert song.repairs == ()
    assert song.end_s == float(8 * 96 / (rate * 40))
    assert song.tempo_map.changes == ()
    assert len(song.meter_map.bars(10)) == 0


def test_smpte_division_without_ticks_is_repaired(midi) -> None:
    song = read_midi(midi.file(midi.track(midi.scale()), division=0xE800))
    assert song.division.ticks_per_quarter == 480
    assert song.repairs


def test_a_division_counts_one_thing() -> None:
    with pytest.raises(ValueError, match="either"):
        Division()
    with pytest.raises(ValueError, match="either"):
        Division(ticks_per_quarter=96, frame_rate=Fraction(25), ticks_per_frame=40)
