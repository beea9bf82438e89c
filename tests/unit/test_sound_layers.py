"""What layers of sound compute before they draw, and where placed elements lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from shared.composition import Composition, ImageLayer, SpectrumLayer, TextLayer, describe
from shared.layout import Layout, Rect, lay_out
from shared.safe_area import SafeArea
from workers.hearing import BAND_HZ, N_BANDS, Hearing
from workers.layers.placing import area_of, place
from workers.layers.spectrum import places_of, shares_of_bands
from workers.layers.waveform import loudness_of, parts_between, rounded_off

LAYOUT = lay_out(
    Composition.model_validate({"layers": [{"type": "keyboard"}]}),
    1000,
    500,
    60,
    72,
    SafeArea(left=0.1, top=0.1, right=0.0, bottom=0.0),
)


def layout_without_keys() -> Layout:
    return lay_out(Composition(layers=(TextLayer(),)), 1000, 500, 60, 72)


def test_elements_lie_in_what_is_free_of_the_roll_or_of_the_frame() -> None:
    assert area_of(LAYOUT, TextLayer(area="frame")) == Rect(100, 50, 1000, 500)
    roll = area_of(LAYOUT, TextLayer(area="roll"))
    assert roll == Rect(100, 50, 1000, LAYOUT.roll.y1)
    assert roll.y1 < 500


@pytest.mark.parametrize(
    ("x", "y", "margin", "corner"),
    [
        (0.0, 0.0, 0.0, (0, 0)),
        (1.0, 1.0, 0.0, (800, 400)),
        (0.5, 0.25, 0.0, (400, 100)),
        (0.0, 1.0, 3.0, (15, 385)),  # 3 % of 500 pixels
        (0.5, 0.5, 3.0, (400, 200)),
    ],
)
def test_a_place_is_a_part_of_the_room_that_is_left(
    x: float, y: float, margin: float, corner: tuple[float, float]
) -> None:
    box = place(layout_without_keys(), TextLayer(x=x, y=y, margin=margin), 200, 100)
    assert (box.x0, box.y0) == pytest.approx(corner)
    assert (box.x1 - box.x0, box.y1 - box.y0) == pytest.approx((200, 100))


def test_what_fills_its_area_touches_the_edges_and_what_is_larger_goes_beyond_both() -> None:
    layout = layout_without_keys()
    full = place(layout, TextLayer(x=0.0, y=1.0), 1000, 490)
    assert (full.x0, full.x1) == (0, 1000)
    assert (full.y0, full.y1) == pytest.approx((5, 495)), "the margin is what there is room for"
    for x, left in ((0.0, 0), (0.5, -100), (1.0, -200)):
        assert place(layout, TextLayer(x=x), 1200, 10).x0 == pytest.approx(left)


def test_a_range_of_frequencies_must_have_one() -> None:
    with pytest.raises(ValidationError) as caught:
        SpectrumLayer(from_hz=500, to_hz=500)
    assert "to_hz (500) must be higher than from_hz (500)" in describe(caught.value)
    assert ImageLayer.model_fields["margin"].default == 3.0


@pytest.mark.parametrize("bars", [4, 12, 48, 256])
def test_each_bar_is_a_mean_of_the_bands_around_its_frequency(bars: int) -> None:
    places = places_of(bars, symmetric=False, around=False)
    shares = shares_of_bands(places, 40, 14000, 1 / bars)
    assert shares.shape == (N_BANDS, bars)
    np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-5)
    # The middle of the bands that a bar takes in is its own frequency.
    middle = np.log2(BAND_HZ) @ shares
    wanted = np.log2(40) + places * np.log2(14000 / 40)
    inside = slice(bars // 4, bars - bars // 4)
    np.testing.assert_allclose(middle[inside], wanted[inside], atol=0.03)
    flat = np.full(N_BANDS, 0.5, np.float32) @ shares
    np.testing.assert_allclose(flat, 0.5, rtol=1e-5)


def test_bars_beyond_the_bands_and_without_a_range_are_finite() -> None:
    for low, high in ((20, 20000), (19999, 20000), (300, 200)):
        shares = shares_of_bands(places_of(9, symmetric=False, around=False), low, high, 1 / 9)
        assert np.isfinite(shares).all()


def test_a_symmetric_spectrum_has_its_low_part_in_the_middle() -> None:
    assert places_of(5, symmetric=True, around=False).tolist() == [1, 0.5, 0, 0.5, 1]
    around = places_of(8, symmetric=True, around=True)
    assert around.tolist() == [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25], "no seam at the top"


def noise(seconds: float, loud: tuple[float, ...] = (1.0,)) -> Hearing:
    rng = np.random.default_rng(5)
    sound = rng.uniform(-0.9, 0.9, round(seconds * 32000)).astype(np.float32)
    steps = np.repeat(np.asarray(loud, np.float32), math.ceil(len(sound) / len(loud)))
    return Hearing.from_sound([sound * steps[: len(sound)]])


@pytest.mark.parametrize("part_s", [0.00003, 0.001, 0.0049, 0.0193, 0.02, 0.0201, 0.05, 0.31])
def test_a_part_of_a_sound_has_the_same_peaks_in_whatever_stretch_it_is_seen(
    part_s: float,
) -> None:
    hearing = noise(2.0)
    seen: dict[int, tuple[float, float]] = {}
    for step in range(40):
        begin_s = 0.3 + step * 0.0333
        first_s, length_s, peaks = parts_between(hearing, begin_s, begin_s + 0.4, part_s)
        assert part_s <= length_s <= max(part_s * 1.6, 0.000126), "parts are about as long as asked"
        assert first_s <= begin_s + 1e-9
        assert first_s + len(peaks) * length_s >= begin_s + 0.4 - 1e-9
        for index, (low, high) in enumerate(peaks.tolist(), start=round(first_s / length_s)):
            assert seen.setdefault(index, (low, high)) == (low, high)
    assert len({peak for pair in seen.values() for peak in pair}) > 4


def test_silence_has_parts_too() -> None:
    _, _, peaks = parts_between(None, -1.0, 1.0, 0.05)
    assert len(peaks) == 40
    assert not peaks.any()


def test_the_loudness_of_a_whole_song_is_relative_to_its_loudest_part() -> None:
    hearing = noise(4.0, loud=(0.2, 0.4, 0.1, 0.0))
    loud = loudness_of(hearing, 0.0, 4.0, 4)
    np.testing.assert_allclose(loud, [0.5, 1, 0.25, 0], atol=0.05)


def test_a_wave_that_is_too_large_is_pressed_together_and_keeps_its_order() -> None:
    wave = np.linspace(-30, 30, 601).astype(np.float32)
    pressed = rounded_off(wave)
    assert np.abs(pressed).max() <= 1
    assert (np.diff(pressed) >= 0).all()
    np.testing.assert_allclose(rounded_off(np.float32([0.0, 0.3, -0.5])), [0, 0.3, -0.5], atol=2e-3)
