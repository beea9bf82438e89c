"""Colours are read strictly and computed with in linear light."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.colour import Colour, from_linear, linear_rgba, to_linear

COLOUR: TypeAdapter[str] = TypeAdapter(Colour)
fractions = st.floats(0, 1)


@given(st.from_regex(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?", fullmatch=True))
def test_a_colour_is_kept_in_small_letters(text: str) -> None:
    assert COLOUR.validate_python(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "red",
        "#fff",
        "#fffff",
        "#fffffff",
        "#ggffff",
        "ffffff",
        "#ffffff ",
        "#ffffff\n",
        "#１23456",
    ],
)
def test_anything_else_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValidationError, match="write it as #rrggbb or #rrggbbaa"):
        COLOUR.validate_python(text)


@pytest.mark.parametrize(
    ("srgb", "linear"),
    [(0, 0), (1, 1), (0.5, 0.214041), (0.04045, 0.0031308), (128 / 255, 0.215861)],
)
def test_linear_light_follows_the_standard(srgb: float, linear: float) -> None:
    assert to_linear(srgb) == pytest.approx(linear, abs=1e-6)
    assert from_linear(linear) == pytest.approx(srgb, abs=1e-5)


@given(fractions)
def test_there_and_back_is_where_one_was(value: float) -> None:
    assert from_linear(to_linear(value)) == pytest.approx(value, abs=1e-6)
    assert 0 <= to_linear(value) <= 1


@given(fractions, fractions)
def test_brighter_stays_brighter(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert to_linear(low) <= to_linear(high)
    assert from_linear(low) <= from_linear(high) + 1e-6


@given(st.tuples(*[st.integers(0, 255)] * 4))
def test_every_8_bit_component_survives(rgba: tuple[int, int, int, int]) -> None:
    *light, alpha = linear_rgba("#" + bytes(rgba).hex())
    assert [round(from_linear(value) * 255) for value in light] == list(rgba[:3])
    assert round(alpha * 255) == rgba[3]


def test_a_colour_without_opacity_is_opaque() -> None:
    assert linear_rgba("#ff0000") == (1.0, 0.0, 0.0, 1.0)
    assert linear_rgba("#0000ff00") == (0.0, 0.0, 1.0, 0.0)
