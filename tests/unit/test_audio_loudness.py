"""Measuring loudness and deciding on a gain."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workers.audio.blocks import Block
from workers.audio.loudness import Loudness, integrated_lufs, measure_loudness, weighting

RATE = 48000


def sine(level: float, *, seconds: float = 3.0, hz: float = 997.0, phase: float = 0.0) -> Block:
    time_s = np.arange(round(seconds * RATE)) / RATE
    wave = level * np.sin(2 * math.pi * hz * time_s + phase)
    return np.stack([wave, wave]).astype(np.float32)


def test_the_weighting_is_that_of_the_standard() -> None:
    # BS.1770-4, tables 1 and 2, which list it for 48 kHz.
    shelf, high_pass = (tuple(value / stage[3] for value in stage) for stage in weighting(RATE))
    assert shelf == pytest.approx(
        (
            1.53512485958697,
            -2.69169618940638,
            1.19839281085285,
            1,
            -1.69065929318241,
            0.73248077421585,
        )
    )
    assert high_pass == pytest.approx((1, -2, 1, 1, -1.99004745483398, 0.99007225036621))


def test_the_gates_of_the_standard() -> None:
    loud, soft, faint = (np.full(100, 10 ** (level / 10)) for level in (-20.0, -35.0, -80.0))
    assert integrated_lufs(loud) == pytest.approx(-20.691, abs=1e-3)
    # 15 dB below what is loud, and below −70 LUFS, nothing counts.
    assert integrated_lufs(np.concatenate([loud, soft, faint])) == pytest.approx(-20.7, abs=0.1)
    assert integrated_lufs(faint) is None
    assert integrated_lufs(loud[:3]) is None


def test_a_sine_is_as_loud_as_the_standard_says() -> None:
    # BS.1770-4: a 997 Hz sine of 0 dBFS in one channel reads −3.01, in both 0.0.
    measured = measure_loudness([sine(0.1)], sample_rate=RATE, channels=2)
    assert measured.integrated_lufs == pytest.approx(-20.0, abs=0.05)
    assert measured.true_peak_dbtp == pytest.approx(-20.0, abs=0.05)


def test_the_true_peak_lies_between_the_samples() -> None:
    # A quarter of the rate, sampled 45 degrees off its crests: every sample is 3 dB below them.
    block = sine(0.5, hz=RATE / 4, phase=math.pi / 4)
    measured = measure_loudness([block], sample_rate=RATE, channels=2)
    assert np.abs(block).max() == pytest.approx(0.3536, abs=1e-3)
    # The abrupt start rings a little above the crest.
    assert measured.true_peak_dbtp == pytest.approx(-6.02, abs=0.6)


def test_a_very_quiet_peak_is_still_measured() -> None:
    measured = measure_loudness([sine(0.0004)], sample_rate=RATE, channels=2)
    assert measured.true_peak_dbtp == pytest.approx(20 * math.log10(0.0004), abs=0.05)


def test_silence_has_no_loudness() -> None:
    measured = measure_loudness([np.zeros((1, RATE), np.float32)], sample_rate=RATE, channels=1)
    assert measured == Loudness(integrated_lufs=None, true_peak_dbtp=None)


def test_a_sound_too_short_to_have_a_loudness_has_a_peak() -> None:
    measured = measure_loudness([sine(0.5, seconds=0.1)], sample_rate=RATE, channels=2)
    assert measured.integrated_lufs is None
    assert measured.true_peak_dbtp == pytest.approx(-6.02, abs=0.1)


def test_nothing_at_all() -> None:
    measured = measure_loudness([], sample_rate=RATE, channels=2)
    assert measured == Loudness(integrated_lufs=None, true_peak_dbtp=None)


def test_blocks_do_not_matter() -> None:
    whole = sine(0.3)
    parts = [whole[:, i : i + 1000] for i in range(0, whole.shape[1], 1000)]
    assert measure_loudness([whole], sample_rate=RATE, channels=2) == measure_loudness(
        parts, sample_rate=RATE, channels=2
    )
