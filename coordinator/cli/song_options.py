"""The options that several commands share, and what they mean: the song, the picture, the range."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from shared.composition import Composition, describe, parse_composition
from shared.errors import CompositionError, InputError
from shared.export import ExportConfiguration
from shared.presets import find_preset
from shared.styles import DEFAULT_STYLE, STYLES, find_style
from shared.timebase import parse_seconds

SongFile = Annotated[Path, typer.Argument(metavar="SONG.mid", help="The MIDI file.")]
AudioFile = Annotated[
    Path | None,
    typer.Option(
        help="Its recording (wav, mp3, flac, m4a, ogg, …). Without one the MIDI is "
        "played through a SoundFont."
    ),
]
StyleName = Annotated[str | None, typer.Option(help=f"A built-in style: {', '.join(STYLES)}.")]
CompositionFile = Annotated[
    Path | None, typer.Option(metavar="FILE.json", help="A composition of your own.")
]
Size = Annotated[
    str | None, typer.Option(metavar="WxH", help="Another size than the preset's, in pixels.")
]
Start = Annotated[str, typer.Option(metavar="S", help="Where in the song it begins, s.")]
End = Annotated[str | None, typer.Option(metavar="S", help="Where in the song it ends, s.")]


def read_composition(style: str | None, file: Path | None) -> Composition:
    """The composition that ``--style`` or ``--composition`` names. Raises InputError."""
    if style and file:
        raise CompositionError("Give either --style or --composition, not both.")
    if file is None:
        return find_style(style or DEFAULT_STYLE)
    try:
        return parse_composition(file.read_text("utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"The composition {file} cannot be read: {exc}.") from exc


def read_configuration(preset: str, size: str | None, fps: str | None) -> ExportConfiguration:
    """A preset, in another size or at another rate where asked. Raises CompositionError."""
    plain = find_preset(preset).model_dump(mode="json")
    if size is not None:
        match = re.fullmatch(r"(\d{1,9})x(\d{1,9})", size.lower())
        if match is None:
            raise CompositionError(f"{size!r} is no size; write it as 1920x1080.")
        plain["quality"]["resolution"] = {"width": int(match[1]), "height": int(match[2])}
    if fps is not None:
        plain["quality"]["framerate"] = fps
    try:
        return ExportConfiguration.model_validate(plain)
    except ValidationError as exc:
        raise CompositionError(f"These settings do not fit: {describe(exc)}.") from exc


def read_seconds(text: str, option: str) -> Fraction:
    """A time in the song. Raises InputError."""
    try:
        value = parse_seconds(text)
    except ValueError:
        raise InputError(f"{option} takes a time in seconds, such as 12.5, not {text!r}.") from None
    if value < 0:
        raise InputError(f"{option} cannot be before the song's beginning.")
    return value
