"""The documents tell the truth about the code."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from coordinator.cli.app import app
from coordinator.cli.drawing_options import DrawingOptions
from shared import composition
from shared.codecs import CODEC_NAMES, CODECS, CONTAINERS
from shared.colour import Colour
from shared.composition import parse_composition
from shared.presets import DESCRIPTIONS, PRESETS
from shared.settings import Settings
from shared.styles import STYLES

ROOT = Path(__file__).parents[2]
LAYERS = typing.get_args(typing.get_args(composition.Layer)[0])
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.json"))
DOCS = sorted((ROOT / "docs").glob("*.md"))
BOUNDS = ("ge", "gt", "le")
COLOUR = typing.get_args(Colour)[1:]
README = (ROOT / "README.md").read_text("utf-8")


def _written(value: object) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _default(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    return "none" if value in (None, "", ()) else _written(value)


def _values(annotation: Any, rules: Sequence[Any]) -> str:
    """What a field takes, from its type and the rules of its values."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *rules = typing.get_args(annotation)
    inside = [each for each in typing.get_args(annotation) if each is not type(None)]
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(map(_written, inside))
    if typing.get_origin(annotation) is tuple:
        return f"list of {_values(inside[0], ()).removeprefix('a ')}s"
    if inside:  # or none
        return _values(inside[0], rules)
    if issubclass(annotation, StrEnum):
        return ", ".join(_written(each.value) for each in annotation)
    if issubclass(annotation, BaseModel):
        return "see below"
    if annotation is bool:
        return "`true`, `false`"
    if annotation is str:
        return "a colour" if any(rule in COLOUR for rule in rules) else "text"
    return _range(rules) + (", whole" if annotation is int else "")


def _range(rules: Sequence[Any]) -> str:
    """The bounds of a number."""
    found = {name: getattr(rule, name) for rule in rules for name in BOUNDS if hasattr(rule, name)}
    bound = {name: f"{value:.15g}" for name, value in found.items()}
    match bound:
        case {"ge": low, "le": high}:
            return f"{low} to {high}"
        case {"gt": low, "le": high}:
            return f"above {low}, to {high}"
        case {"ge": low}:
            return f"{low} or more"
        case {"gt": low}:
            return f"above {low}"
    raise AssertionError(bound)


def _table(model: type[BaseModel]) -> str:
    rows = ["| field | values | default | what it is |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_values(field.annotation, field.metadata)} | {_default(model, name)} "
        f"| {field.description} |"
        for name, field in model.model_fields.items()
        if name not in ("type", "animate")
    ]
    return "\n".join(rows).replace("list of see belows", "list, see below")


def _pictures(name: str) -> str:
    """The pictures of a layer, each leading to the composition that it shows."""
    stems = sorted(path.stem for path in EXAMPLES if path.stem.split("-")[0] == name)
    pictures = [f"[![{stem}](images/layers/{stem}.jpg)](examples/{stem}.json)" for stem in stems]
    return "".join(f"\n\n{picture}" for picture in pictures)


def test_every_layer_has_a_picture() -> None:
    names = {model.model_fields["type"].default for model in LAYERS} | {"stage", "finish"}
    assert names == {path.stem.split("-")[0] for path in EXAMPLES}
    pictures = {path.stem for path in (ROOT / "docs" / "images" / "layers").glob("*.jpg")}
    assert pictures == {path.stem for path in EXAMPLES}


def reference() -> str:
    """The reference part of docs/compositions.md, from the models themselves."""
    parts = [f"## The composition\n\n{_table(composition.Composition)}"]
    for title, model in (
        ("`stage`", composition.Stage),
        ("`colouring`", composition.Colouring),
        ("`finish`", composition.Finish),
        ("A stop of `gradient`", composition.GradientStop),
    ):
        pictures = _pictures(title.strip("`"))
        parts.append(f"### {title}\n\n{model.__doc__}{pictures}\n\n{_table(model)}")
    parts.append("## Layers")
    for model in LAYERS:
        name = model.model_fields["type"].default
        parts.append(f"### `{name}`\n\n{model.__doc__}{_pictures(name)}\n\n{_table(model)}")
    return "\n\n".join(parts) + "\n"


def test_every_field_of_a_composition_is_documented(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "compositions.md"
    head, mark, _ = path.read_text("utf-8").partition("<!-- from the code -->\n\n")
    expected = head + mark + reference()
    if request.config.getoption("--update-golden"):
        path.write_text(expected, "utf-8")
    assert path.read_text("utf-8") == expected


def test_the_compositions_on_the_page_are_valid() -> None:
    text = (ROOT / "docs" / "compositions.md").read_text("utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert len(blocks) >= 6
    for block in blocks:
        whole = {"layers": [block]} if "type" in block else {"layers": [{"type": "grid"}], **block}
        parse_composition(json.dumps(whole), "the page")


def _formats_reference() -> str:
    """The reference part of docs/formats.md, from the tables themselves."""
    parts = ["## The formats", "| format | picture | sound |\n|---|---|---|"]
    parts[-1] += "".join(
        f"\n| `{name}` | {', '.join(facts.video) or 'none'} | {', '.join(facts.audio) or 'none'} |"
        for name, facts in CONTAINERS.items()
    )
    parts.append("The first codec is taken where none is named.")
    parts += ["## The codecs", "| codec | crf | pixel formats, and their profiles |\n|---|---|---|"]
    for codec, held in CODECS.items():
        scale = f"{held.crf[0]} to {held.crf[1]}; {held.default_crf}" if held.crf else "none"
        pixels = ", ".join(
            f"{name} ({', '.join(profiles)})" if profiles else name
            for name, profiles in held.profiles.items()
        )
        parts[-1] += f"\n| `{codec}` ({CODEC_NAMES[codec]}) | {scale} | {pixels} |"
    parts += ["## The presets", "| preset | size | fps | what it is for |\n|---|---|---|---|"]
    for name, preset in PRESETS.items():
        size, fps = preset.quality.resolution, preset.quality.framerate
        parts[-1] += f"\n| `{name}` | {size.width}x{size.height} | {fps} | {DESCRIPTIONS[name]} |"
    return "\n\n".join(parts) + "\n"


def test_every_format_codec_and_preset_is_documented(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "formats.md"
    head, mark, _ = path.read_text("utf-8").partition("<!-- from the code -->\n\n")
    expected = head + mark + _formats_reference()
    if request.config.getoption("--update-golden"):
        path.write_text(expected, "utf-8")
    assert path.read_text("utf-8") == expected


@pytest.mark.parametrize("page", ["formats", "compositions"])
def test_options_in_the_pages_about_videos_exist(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    command: Any = typer.main.get_command(app)
    names = ("render", "still", "contact-sheet", "preview", "presets")
    known = {
        option
        for name in names
        for parameter in command.commands[name].params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    used = set(re.findall(r"--[a-z][a-z-]+", text))
    assert used
    assert used <= known


def test_readme_names_every_style_and_setting() -> None:
    missing = [name for name in STYLES if f"`{name}`" not in README]
    missing += [
        name
        for name in (f"MIDIFARM_{field.upper()}" for field in Settings.model_fields)
        if name not in README
    ]
    assert missing == []


def test_readme_names_every_option_that_says_what_is_drawn() -> None:
    options = [field.name for field in dataclasses.fields(DrawingOptions)]
    assert [name for name in options if f"`--{name} " not in README] == []


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS], ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_presets_in_the_readme_exist() -> None:
    named = set(re.findall(r"--preset (\w+)", README))
    assert named
    assert named <= set(PRESETS)
