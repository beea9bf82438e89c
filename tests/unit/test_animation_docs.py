"""The page about animation tells the truth about the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, create_model

from shared.animation import CONSTANT, EASINGS, SIGNALS, Animated, Keyframe, Keyframes
from shared.composition import Layer, Stage
from shared.expression import LONGEST, Expression
from shared.functions import CONSTANTS, FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "animation.md"
TEXT = PAGE.read_text("utf-8")
MARK = "<!-- from the code -->\n\n"
RECIPES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
MODELS = {layer.model_fields["type"].default: layer for layer in get_args(get_args(Layer)[0])}


def _table(head: str, rows: dict[str, str]) -> str:
    lines = [f"| {head} | what it is |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {text} |" for name, text in rows.items()])


def _fields(model: type[BaseModel]) -> str:
    lines = ["| field | default | what it is |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{json.dumps(field.default)}`"
        lines.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(lines)


def reference() -> str:
    """The reference part of docs/animation.md, from the tables themselves."""
    own = {CONSTANT: "The field's own number; in expressions only."}
    functions = {
        function.written(name): function.description for name, function in FUNCTIONS.items()
    }
    constants = {name: f"{number:.6f}…" for name, number in CONSTANTS.items()}
    return "\n\n".join(
        [
            f"## Signals\n\n{_table('signal', {**SIGNALS, **own})}",
            f"## Functions\n\n{_table('function', functions | constants)}",
            f"## Fields of keyframes\n\n{_fields(Keyframes)}",
            f"Each of `keyframes`:\n\n{_fields(Keyframe)}",
            f"### `easing`\n\n{_table('easing', dict(EASINGS))}\n",
        ]
    )


def test_every_signal_function_and_easing_is_documented(request: pytest.FixtureRequest) -> None:
    head, mark, _ = TEXT.partition(MARK)
    expected = head + mark + reference()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected
    assert f"at most {LONGEST} characters" in head


def _model(recipe: dict[str, Any]) -> type[Animated]:
    model = MODELS[recipe["type"]] if "type" in recipe else Stage
    if issubclass(model, Animated):
        return model
    return create_model(model.__name__, __base__=(Animated, model))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: "-".join(recipe["animate"]))
def test_recipes_are_valid_and_move(recipe: dict[str, Any]) -> None:
    settings = _model(recipe).model_validate_json(json.dumps(recipe))
    assert settings.animated
    moments = [
        settings.at({**dict.fromkeys(SIGNALS, k / 7), "bar": k}.__getitem__) for k in range(8)
    ]
    for name in settings.animate:
        assert len({getattr(moment, name) for moment in moments}) > 1


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 10


def test_where_mathematics_has_no_number_the_page_says_what_there_is() -> None:
    rows = re.findall(r"^\| `(.+)` \| (-?[0-9.e+]+) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 8
    for text, value in rows:
        assert Expression.parse(text, ()).evaluate({}) == float(value)
