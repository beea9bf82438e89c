"""Contours, the limiter and the choice of a level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import RATE, Sound, bells, knocks, piano, square
from workers.audio.blocks import Block
from workers.audio.contour import Contour, trace
from workers.audio.levelling import DEEPEST_DB, MOST_LIMITED_DB, find_level, leave_level
from workers.audio.limiter import amplify, reduction
from workers.audio.loudness import measure_loudness


def cut(sound: Sound, length: int = 7000) -> list[Block]:
    return [sound[:, first : first + length] for first in range(0, sound.shape[1], length)]


def contour_of(sound: Sound, rate: int = RATE) -> Contour:
    return trace(cut(sound), sample_rate=rate, channels=sound.shape[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-60, 20), min_size=1, max_size=80), st.floats(-9, 0))
def test_no_step_exceeds_the_ceiling(peaks: list[float], ceiling_db: float) -> None:
    peaks_db = np.array(peaks, np.float32)
    edges_db = reduction(peaks_db, ceiling_db)
    assert len(edges_db) == len(peaks_db) + 1
    assert edges_db.max() <= 1e-4
    # On a straight line between two edges the gain is never above the higher of them.
    assert (peaks_db + np.maximum(edges_db[:-1], edges_db[1:])).max() <= ceiling_db + 1e-3 or (
        peaks_db.max() <= ceiling_db
    )


def test_a_peak_is_approached_and_left_smoothly() -> None:
    peaks_db = np.full(400, -20.0, np.float32)
    peaks_db[100] = 5.0
    edges_db = reduction(peaks_db, -1.0)
    assert edges_db.min() == pytest.approx(-6.0, abs=1e-3)
    # Nothing happens earlier than 11 ms before it, nothing is left of it after 6 dB at 60 dB/s.
    assert not edges_db[:89].any()
    assert edges_db[104:].min() > -6.0
    assert edges_db[220:].min() > -1e-3
    assert np.abs(np.diff(edges_db)).max() < 1.5


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("material", [piano, knocks, square, bells])
def test_what_is_foretold_is_what_is_measured(material: Callable[[], Sound], rate: int) -> None:
    sound = material()
    contour = contour_of(sound, rate)
    level = find_level(contour, target_lufs=-14.0, ceiling_db=-1.0)
    levelled = list(amplify(cut(sound, 5001), level.gain_db, level.edges_db, contour.step))
    measured = measure_loudness(levelled, sample_rate=rate, channels=sound.shape[0])
    assert not level.bounded
    assert level.integrated_lufs == pytest.approx(-14.0, abs=0.02)
    assert measured.integrated_lufs == pytest.approx(-14.0, abs=0.06)
    assert measured.true_peak_dbtp is not None
    assert measured.true_peak_dbtp == pytest.approx(level.peak_db, abs=0.1)
    assert sum(block.shape[1] for block in levelled) == sound.shape[1]


def test_where_a_plain_gain_does_nothing_else_is_done() -> None:
    sound = square()
    contour = contour_of(sound)
    level = find_level(contour, target_lufs=-14.0, ceiling_db=-1.0)
    assert not level.edges_db.any()
    (levelled,) = amplify([sound], level.gain_db, level.edges_db, contour.step)
    assert np.allclose(levelled, sound * 10 ** (level.gain_db / 20), rtol=1e-5)


def test_a_limiter_knows_its_bounds() -> None:
    sound = np.zeros((1, RATE * 3), np.float32)
    sound[:, 2000:-2000:6000] = 0.8
    level = find_level(contour_of(sound), target_lufs=-14.0, ceiling_db=-1.0)
    assert level.bounded
    assert level.integrated_lufs is not None
    assert level.integrated_lufs < -14.1
    assert -level.edges_db.mean() <= MOST_LIMITED_DB
    assert -level.edges_db.min() <= DEEPEST_DB + 0.01


@pytest.mark.parametrize("samples", [0, 1, 47, 48, 4800, RATE])
def test_silence_and_scraps_have_no_loudness_to_bring_anywhere(samples: int) -> None:
    for peak in (0.0, 2.0):
        sound = np.full((2, samples), peak if samples < RATE else 0.0, np.float32)
        contour = contour_of(sound)
        level = find_level(contour, target_lufs=-14.0, ceiling_db=-1.0)
        assert (level.gain_db, level.integrated_lufs, level.bounded) == (0.0, None, False)
        for block in amplify([sound], level.gain_db, level.edges_db, contour.step):
            assert np.abs(block).max(initial=0.0) <= 10 ** (-1 / 20) + 1e-3
        assert leave_level(contour).gain_db == 0.0


def test_blocks_do_not_matter() -> None:
    sound = bells(1.0)
    whole = trace([sound], sample_rate=RATE, channels=2)
    parts = trace(cut(sound, 1001), sample_rate=RATE, channels=2)
    assert np.array_equal(whole.peaks, parts.peaks)
    assert np.abs(whole.power.astype(int) - parts.power).max() <= 1
    level = find_level(whole, target_lufs=-10.0, ceiling_db=-3.0)
    assert level.edges_db.any()
    (once,) = amplify([sound], level.gain_db, level.edges_db, whole.step)
    often = np.concatenate(
        list(amplify(cut(sound, 1001), level.gain_db, level.edges_db, whole.step)), axis=1
    )
    assert np.allclose(once, often, rtol=0, atol=1e-6)


def test_a_contour_is_stored_and_found_again() -> None:
    contour = trace(
        cut(piano(1.0)), sample_rate=44100, channels=2, warnings=["It hisses.", "It hisses."]
    )
    again = Contour.from_bytes(contour.to_bytes())
    assert again.warnings == ("It hisses.",)
    assert again.sample_rate == 44100
    assert np.array_equal(again.peaks, contour.peaks)
    assert np.array_equal(again.power, contour.power)
    assert again.to_bytes() == contour.to_bytes()
    for damaged in (b"", b"no zip", contour.to_bytes()[:500]):
        with pytest.raises(ValueError, match="no contour"):
            Contour.from_bytes(damaged)
