"""Compositions: read strictly, explained by field, written back the same; and the styles."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared import animation, composition, export, intake, plan, settings
from shared.composition import (
    BackgroundLayer,
    Composition,
    Direction,
    KeyboardLayer,
    base,
    describe,
    finish,
    ground,
    light,
    notes,
    parse_composition,
    sound,
    stage,
    texts,
)
from shared.errors import CompositionError
from shared.styles import DEFAULT_STYLE, STYLES, find_style
from tests.compositions import LAYERS, compositions
from tests.compositions import settings as layer_settings

composition_parts = (
    composition,
    base,
    finish,
    ground,
    light,
    notes,
    sound,
    stage,
    texts,
    animation,
)
MODELS = [
    model
    for module in (*composition_parts, export, intake, plan, settings)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
    if model.__module__ == module.__name__ and model.model_fields
]


def read(**fields: Any) -> Composition:
    return parse_composition(json.dumps({"layers": [{"type": "piano_roll"}]} | fields), "mine.json")


@pytest.mark.parametrize("name", LAYERS)
@given(st.data())
def test_a_layer_is_read_and_written_without_loss(name: str, data: st.DataObject) -> None:
    layer = data.draw(layer_settings(LAYERS[name]))
    plain = layer.model_dump(mode="json")
    [read_back] = read(layers=[plain]).layers
    assert read_back.type == name
    assert read_back == layer
    assert read_back.model_dump(mode="json") == plain


@given(compositions())
def test_a_composition_is_read_and_written_without_loss(drawn: Composition) -> None:
    assert parse_composition(drawn.model_dump_json(), "mine.json") == drawn


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_needs_nothing_but_its_type(name: str) -> None:
    [layer] = read(layers=[{"type": name}]).layers
    assert layer.type == name


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"colors": []}, "colors"),
        ({"stage": {"direction": "falling", "speed": 2}}, "stage.speed"),
        ({"colouring": {"pallette": []}}, "colouring.pallette"),
        ({"layers": [{"type": "grid", "colour": "#ffffff"}]}, "layers.0.colour"),
        (
            {"layers": [{"type": "background", "gradient": [{"at": 0, "color": "#ffffff"}]}]},
            "layers.0.gradient.0.color",
        ),
    ],
)
def test_unknown_fields_are_refused_by_name(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(CompositionError) as caught:
        read(**fields)
    assert f"{place}: there is no such field" in caught.value.message


@pytest.mark.parametrize(
    ("fields", "finding"),
    [
        ({"layers": []}, "layers: a list with one entry or more"),
        ({"layers": [{"type": "fire"}]}, "layers.0: 'fire' is no layer; choose one of background"),
        ({"layers": [{}]}, "layers.0: a layer says what it is, such as "),
        ({"tail_s": -1}, "tail_s: Input should be greater than or equal to 0"),
        ({"stage": {"direction": "up"}}, "stage.direction: Input should be 'falling', 'rising'"),
        ({"stage": {"seconds_ahead": 0}}, "stage.seconds_ahead: Input should be greater than 0"),
        ({"colouring": {"palette": []}}, "colouring.palette: a list with one entry or more"),
        (
            {"colouring": {"palette": ["#ffffff", "red"]}},
            "colouring.palette.1: 'red' is no colour; write it as #rrggbb or #rrggbbaa",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_explained_by_its_field(
    fields: dict[str, Any], finding: str
) -> None:
    with pytest.raises(CompositionError) as caught:
        read(**fields)
    assert caught.value.message.startswith("mine.json is no composition: ")
    assert finding in caught.value.message


def test_all_findings_are_told_in_one_sentence() -> None:
    with pytest.raises(CompositionError) as caught:
        read(tail_s=99, sustain_pedal="perhaps", colouring={"velocity_shade": 2})
    message = caught.value.message
    assert [
        message.count(name) for name in ("tail_s: ", "sustain_pedal: ", ".velocity_shade: ")
    ] == [
        1,
        1,
        1,
    ]
    assert message.count("; ") == 2
    assert message.endswith(".")
    assert "\n" not in message
    assert "pydantic" not in message


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\ufeff{}", '{"layers": [{"type": "grid"}]']
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(CompositionError, match=r"^mine\.json is no composition: "):
        parse_composition(text, "mine.json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    "field",
    ['"tail_s": {}', '"layers": [{{"type": "title", "from_s": {}}}]', '"audio_offset_s": {}'],
)
def test_numbers_that_are_none_are_refused(field: str, number: str) -> None:
    text = '{"layers": [{"type": "title"}], ' + field.format(number) + "}"
    with pytest.raises(CompositionError, match="should be a finite number"):
        parse_composition(text, "mine.json")


def test_a_wrong_layer_is_not_also_told_to_be_missing() -> None:
    with pytest.raises(CompositionError) as caught:
        read(layers=[{"type": "grid", "color": "#ffffff"}])
    assert caught.value.message == (
        "mine.json is no composition: layers.0.color: there is no such field."
    )


def test_a_finding_about_the_whole_names_no_field() -> None:
    with pytest.raises(ValidationError) as caught:
        Composition.model_validate_json("{")
    assert describe(caught.value).startswith("Invalid JSON: ")


@pytest.mark.parametrize("places", [[], [0, 1], [0.2, 0.2], [0, 0.5, 1]])
def test_a_gradient_has_stops_in_the_order_of_their_places(places: list[float]) -> None:
    stops = [{"at": place, "colour": "#ffffff"} for place in places]
    layer = BackgroundLayer.model_validate({"gradient": stops})
    assert [stop.at for stop in layer.gradient] == places


@pytest.mark.parametrize("places", [[0.5], [1, 0], [0, 0.6, 0.5]])
def test_other_gradients_are_refused(places: list[float]) -> None:
    stops = [{"at": place, "colour": "#ffffff"} for place in places]
    with pytest.raises(ValidationError, match="two or more stops in the order of their places"):
        BackgroundLayer.model_validate({"gradient": stops})


def test_a_composition_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().tail_s = 3  # type: ignore[misc]


def test_the_first_keyboard_gives_the_stage_its_shape() -> None:
    keyboards = [{"type": "keyboard", "length": 3}, {"type": "keyboard", "length": 4}]
    assert read(layers=[{"type": "grid"}, *keyboards]).keyboard == KeyboardLayer(length=3)
    assert read(layers=[{"type": "grid"}]).keyboard is None


def test_every_direction_says_where_the_keyboard_lies() -> None:
    assert {direction.value for direction in Direction} == {"falling", "rising", "left", "right"}
    assert read().stage.direction is Direction.FALLING


def test_there_is_a_file_for_every_style_and_no_other() -> None:
    names = {path.name for path in files("shared.styles").iterdir() if path.name.endswith(".json")}
    assert names == {f"{name}.json" for name in STYLES}
    assert next(iter(STYLES)) == DEFAULT_STYLE


@pytest.mark.parametrize("name", STYLES)
def test_a_style_needs_only_a_song(name: str) -> None:
    style = find_style(name)
    types = [layer.type for layer in style.layers]
    assert {"background", "piano_roll", "title", "lyrics", "image"} <= set(types)
    assert types[0] == "background", "what lies behind everything is drawn first"
    text = style.model_dump_json()
    assert '"image":"' not in text
    assert '"font":"' not in text


def test_most_styles_have_a_keyboard() -> None:
    assert {name for name in STYLES if find_style(name).keyboard is None} == {"orbit", "pulse"}


def test_styles_differ() -> None:
    assert len({find_style(name).model_dump_json() for name in STYLES}) == len(STYLES)
    assert all(text.endswith(".") for text in STYLES.values())


@pytest.mark.parametrize("name", ["", "Aurora", "../aurora", "__init__"])
def test_an_unknown_style_is_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(CompositionError) as caught:
        find_style(name)
    assert all(style in caught.value.message for style in STYLES)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_field_is_described_in_a_sentence(model: type[BaseModel]) -> None:
    assert model.__doc__
    for name, field in model.model_fields.items():
        if name == "type":
            continue  # its only value is the name of the class
        text = field.description or ""
        assert text[:1].isupper() or text.startswith(("`", "0 ", "1 ", "x264", "kbit/s")), (
            name,
            text,
        )
        assert text.endswith("."), (name, text)


def test_the_models_are_found() -> None:
    assert len(MODELS) > 25
    assert {Composition, plan.Plan, settings.Settings, export.ExportConfiguration} <= set(MODELS)
