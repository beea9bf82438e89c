"""The manifest of a batch: a list of songs, as JSON or as a table (CSV).

Files are named relative to the manifest. What a song does not say, the manifest as a whole says, or
the options of the command.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from coordinator.texts import Text
from shared.errors import InputError

M = TypeVar("M", bound=BaseModel)

_MOST: Final = 10_000


def _words(value: Any) -> Any:
    """Several presets in one cell of a table."""
    return value.replace(",", " ").replace(";", " ").split() if isinstance(value, str) else value


Presets = Annotated[list[str], BeforeValidator(_words), Field(min_length=1)]


class Outputs(BaseModel):
    """What videos are made; checked by the server, which knows presets and templates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    presets: Presets | None = Field(default=None, description="One export for each of these.")
    config: dict[str, Any] | None = Field(
        default=None, description="Instead of presets: what file comes out (camelCase)."
    )
    template: str | None = Field(default=None, description="Branding by its name.")
    branding: dict[str, Any] | None = Field(
        default=None, description="Watermark and end card (camelCase); images by asset id."
    )
    too_long: str | None = Field(
        default=None, description="refuse, cut or fade what a platform would not take whole."
    )
    start_s: float | None = Field(
        default=None, description="Song time at which the videos begin, in seconds."
    )
    end_s: float | None = Field(default=None, description="Song time at which they end.")
    priority: int | None = Field(default=None, description="Higher is earlier.")
    pool: str | None = Field(default=None, description="The nodes that may render them.")
    webhook: dict[str, Any] | None = Field(
        default=None, description="Who is told of their ends: url and secret."
    )

    @property
    def said(self) -> dict[str, Any]:
        """What was said of it, as the API takes it."""
        return {
            name: value
            for name in Outputs.model_fields
            if (value := getattr(self, name)) is not None
        }


class Song(Outputs):
    """One song of a batch."""

    midi: Path = Field(description="The MIDI file.")
    audio: Path | None = Field(default=None, description="Its recording.")
    soundfont: Path | None = Field(default=None, description="What it is played through without.")
    name: Text | None = Field(default=None, description="What to call it; the MIDI file's name.")
    style: str | None = Field(default=None, description="A built-in style.")
    composition: Path | None = Field(default=None, description="A composition of your own (JSON).")
    title: str | None = Field(default=None, description="The title.")
    artist: str | None = Field(default=None, description="Who plays or wrote it.")
    cover: Path | None = Field(default=None, description="A cover image.")
    background: Path | None = Field(default=None, description="An image or a video behind it all.")
    lyrics: Path | None = Field(default=None, description="The words: an LRC file.")


class Manifest(Outputs):
    """Many songs, and what is made of all of them."""

    name: Text | None = Field(default=None, description="What to call the batch.")
    items: list[Song] = Field(min_length=1, max_length=_MOST, description="The songs.")


def read_manifest(path: Path) -> Manifest:
    """A manifest from a ``.json`` or a ``.csv``.

    Raises:
        InputError: It cannot be read or does not fit; says in which line or item.
    """
    match path.suffix.lower():
        case ".json":
            return _read_json(path)
        case ".csv":
            return _read_csv(path)
    raise InputError(f"A manifest is a .json or a .csv, which {path.name} is not.")


def _read_json(path: Path) -> Manifest:
    text = _text(path)
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"{path.name} is no JSON: {exc}.") from exc
    if isinstance(plain, list):
        plain = {"items": plain}
    return _checked(Manifest, plain, path.name)


def _read_csv(path: Path) -> Manifest:
    try:
        rows = csv.DictReader(_text(path).splitlines(), strict=True)
        songs = []
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            if None in row or None in row.values():
                raise InputError(f"{where} has not as many cells as the first line.")
            said = {name.strip(): cell.strip() for name, cell in row.items()}
            given = {name: cell for name, cell in said.items() if cell}
            if given:
                songs.append(_checked(Song, given, where))
    except csv.Error as exc:
        raise InputError(f"{path.name} is no table: {exc}.") from exc
    if not songs:
        raise InputError(f"{path.name} names no songs: its first line has the names of columns.")
    return _checked(Manifest, {"items": songs}, path.name)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"{path.name} is not a text in UTF-8.") from exc


def _checked(model: type[M], plain: Any, where: str) -> M:
    try:
        return model.model_validate(plain)
    except ValidationError as exc:
        found = exc.errors(include_url=False)[0]
        place = ".".join(map(str, found["loc"]))
        said = "there is no such field" if found["type"] == "extra_forbidden" else found["msg"]
        raise InputError(f"{where}: {place + ': ' if place else ''}{said}.") from exc
