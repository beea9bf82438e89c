"""Where a recording lies under the video, as pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.audio.blocks import Block
from workers.audio.placement import Fades, place, plan_fades, plan_placement

TIMES = st.fractions(min_value=-40, max_value=40, max_denominator=1001)


def counting(length: int, block: int) -> Iterator[Block]:
    """A mono recording whose sample i has the value i + 1, in blocks."""
    for first in range(0, length, block):
        stop = min(first + block, length)
        yield np.arange(first + 1, stop + 1, dtype=np.float32)[None]


def joined(blocks: Iterator[Block]) -> Block:
    return np.concatenate(list(blocks), axis=1)


@pytest.mark.parametrize(
    ("start", "offset", "lead", "skip"),
    [
        ("0", "0", 0, 0),
        ("0", "1/2", 24000, 0),
        ("1/2", "0", 0, 24000),
        ("3", "-2", 0, 240000),
        ("0", "1/96000", 1, 0),  # half a sample rounds up
        ("1/96000", "0", 0, 0),
        ("1/48000", "0", 0, 1),
        ("0", "100", 1000, 0),  # begins after the end
    ],
)
def test_placement(start: str, offset: str, lead: int, skip: int) -> None:
    placement = plan_placement(
        start_s=Fraction(start),
        offset_s=Fraction(offset),
        samples=96000 if lead != 1000 else 1000,
        sample_rate=48000,
    )
    assert (placement.lead, placement.skip) == (lead, skip)


@given(TIMES, TIMES, st.sampled_from([44100, 48000]))
def test_never_more_than_half_a_sample_off(start: Fraction, offset: Fraction, rate: int) -> None:
    placement = plan_placement(start_s=start, offset_s=offset, samples=10_000_000, sample_rate=rate)
    shift = placement.lead - placement.skip
    assert abs(shift - (offset - start) * rate) <= Fraction(1, 2)
    assert 0 in (placement.lead, placement.skip)


@given(st.integers(-300, 300), st.integers(1, 300), st.integers(0, 300), st.integers(1, 64))
def test_every_sample_lands_where_it_belongs(
    shift: int, samples: int, length: int, block: int
) -> None:
    placement = plan_placement(
        start_s=Fraction(0), offset_s=Fraction(shift, 48000), samples=samples, sample_rate=48000
    )
    sound = joined(place(counting(length, block), placement, 1))[0]
    expected = [i - shift + 1 if 0 <= i - shift < length else 0 for i in range(samples)]
    assert sound.tolist() == expected


def test_reads_no_further_than_needed() -> None:
    def short() -> Iterator[Block]:
        yield np.ones((2, 100), np.float32)
        raise AssertionError("read on")

    placement = plan_placement(
        start_s=Fraction(0), offset_s=Fraction(0), samples=50, sample_rate=48000
    )
    assert joined(place(short(), placement, 2)).shape == (2, 50)


@given(st.integers(1, 64))
def test_fades_are_the_same_in_any_blocks(block: int) -> None:
    fades = Fades(rise=10, fall=20, samples=100)
    ones = np.ones((1, 100), np.float32)
    faded = joined(fades(iter(ones[:, i : i + block] for i in range(0, 100, block))))[0]
    assert faded[0] == 0
    assert faded[5] == pytest.approx(0.5)
    assert np.all(faded[10:81] == 1)
    assert faded[90] == pytest.approx(0.5)
    assert faded[99] == pytest.approx(1 / 20)


def test_fades_are_no_longer_than_the_sound() -> None:
    fades = plan_fades(fade_in_s=5, fade_out_s=0.5, samples=48000, sample_rate=48000)
    assert fades == Fades(rise=48000, fall=24000, samples=48000)
