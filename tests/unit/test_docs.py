"""The documents tell the truth about the code."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from shared import composition
from shared.presets import PRESETS
from shared.settings import Settings
from shared.styles import STYLES

ROOT = Path(__file__).parents[2]
LAYERS = typing.get_args(typing.get_args(composition.Layer)[0])
README = (ROOT / "README.md").read_text("utf-8")


def _default(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value) or "none"
    return "none" if value in (None, "") else f"`{value}`"


def _table(model: type[BaseModel]) -> str:
    rows = ["| field | default | what it is |", "|---|---|---|"]
    rows += [
        f"| `{name}` | {_default(model, name)} | {field.description} |"
        for name, field in model.model_fields.items()
        if name != "type"
    ]
    return "\n".join(rows)


def reference() -> str:
    """The reference part of docs/compositions.md, from the models themselves."""
    parts = [f"## The composition\n\n{_table(composition.Composition)}"]
    for title, model in (
        ("`stage`", composition.Stage),
        ("`colouring`", composition.Colouring),
        ("A stop of `gradient`", composition.GradientStop),
    ):
        parts.append(f"### {title}\n\n{model.__doc__}\n\n{_table(model)}")
    parts.append("## Layers")
    for model in LAYERS:
        name = model.model_fields["type"].default
        parts.append(f"### `{name}`\n\n{model.__doc__}\n\n{_table(model)}")
    return "\n\n".join(parts) + "\n"


def test_every_field_of_a_composition_is_documented(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "compositions.md"
    head, mark, _ = path.read_text("utf-8").partition("<!-- from the code -->\n\n")
    expected = head + mark + reference()
    if request.config.getoption("--update-golden"):
        path.write_text(expected, "utf-8")
    assert path.read_text("utf-8") == expected


def test_readme_names_every_style_and_setting() -> None:
    missing = [name for name in STYLES if f"`{name}`" not in README]
    missing += [
        name
        for name in (f"MIDIFARM_{field.upper()}" for field in Settings.model_fields)
        if name not in README
    ]
    assert missing == []


def test_readme_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_presets_in_the_readme_exist() -> None:
    named = set(re.findall(r"--preset (\w+)", README))
    assert named
    assert named <= set(PRESETS)
