"""The options that say what is drawn, shared by every command that draws or has drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from coordinator.api.sniffing import HEAD_BYTES, possible
from coordinator.cli.options import with_bundle
from coordinator.cli.song_files import check_files
from shared.composition import Composition, describe, parse_composition
from shared.composition.texts import LONGEST_LRC
from shared.dressing import Dressing, dress
from shared.errors import CompositionError, InputError
from shared.intake import AssetKind
from shared.lrc import decode_lrc, parse_lrc
from shared.styles import DEFAULT_STYLE, STYLES, find_style

_PICTURE: Final = "What is drawn"
_UNSNIFFED: Final = frozenset({".avif", ".bmp", ".tif", ".tiff"})
"""Images that are opened here but not by a server, so that its doorkeeper does not know them."""
_LRC_BYTES: Final = 4 * LONGEST_LRC + 4
"""What so many characters and a byte order mark take at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingOptions:
    """What was asked for; None where nothing was."""

    style: Annotated[
        str | None,
        typer.Option(rich_help_panel=_PICTURE, help=f"A built-in style: {', '.join(STYLES)}."),
    ] = None
    composition: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json", rich_help_panel=_PICTURE, help="A composition of your own."
        ),
    ] = None
    title: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_PICTURE, help="The title; the one in the MIDI file if not given."
        ),
    ] = None
    artist: Annotated[
        str | None, typer.Option(rich_help_panel=_PICTURE, help="Who plays or wrote it.")
    ] = None
    cover: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_PICTURE,
            help="A cover image, in the place that the style has for one, or in a corner.",
        ),
    ] = None
    background: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_PICTURE,
            help="An image, or a video that is played in a loop, behind everything.",
        ),
    ] = None
    lyrics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.lrc",
            rich_help_panel=_PICTURE,
            help="The words and when they are sung; those in the MIDI file if not given.",
        ),
    ] = None


with_drawing: Final = with_bundle(DrawingOptions, "drawing")
"""Gives a command these options; it is called with ``drawing``, a DrawingOptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What those options come to."""

    undressed: Composition
    """The style, or the composition as its file has it."""
    dressing: Dressing
    """What the musician brings; its files by their absolute paths."""
    folder: Path
    """What the names in the composition are relative to."""
    files: tuple[Path, ...]
    """The files that the options name, all of which are there."""

    @property
    def dressed(self) -> Composition:
        """What is drawn."""
        return dress(self.undressed, self.dressing)


def read_drawing(options: DrawingOptions) -> Drawing:
    """The composition, and what it is dressed with.

    Raises:
        CompositionError: They do not fit; one sentence says what is wrong.
        InputError: A file cannot be read, or is not what it should be.
    """
    named = (options.composition, options.cover, options.background, options.lyrics)
    check_files(*named)
    undressed = _composition(options.style, options.composition)
    return Drawing(
        undressed=undressed,
        dressing=_dressing(options),
        folder=(options.composition.parent if options.composition else Path.cwd()).absolute(),
        files=tuple(filter(None, named)),
    )


def _composition(style: str | None, file: Path | None) -> Composition:
    if style and file:
        raise CompositionError("Give either --style or --composition, not both.")
    if file is None:
        return find_style(style or DEFAULT_STYLE)
    try:
        return parse_composition(file.read_text("utf-8"), file.name)
    except OSError as exc:
        raise InputError(f"The composition {file} cannot be read: {exc.strerror or exc}.") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"{file.name} is no composition: it is not a text in UTF-8.") from exc


def _dressing(options: DrawingOptions) -> Dressing:
    given: dict[str, str] = {}
    if options.title is not None:
        given["title"] = options.title
    if options.artist is not None:
        given["artist"] = options.artist
    if options.cover is not None:
        if _picture(options.cover) != "image":
            raise InputError(f"--cover takes an image, which {options.cover} is not.")
        given["cover"] = str(options.cover.absolute())
    if options.background is not None:
        kind = _picture(options.background)
        if kind is None:
            raise InputError(
                f"--background takes an image or a video, and {options.background} is neither."
            )
        field = "background" if kind == "image" else "background_video"
        given[field] = str(options.background.absolute())
    if options.lyrics is not None:
        given["lyrics"] = _lyrics(options.lyrics)
    try:
        return Dressing.model_validate(given)
    except ValidationError as exc:
        raise CompositionError(f"What is to be shown does not fit: {describe(exc)}.") from exc


def _picture(path: Path) -> AssetKind | None:
    """Whether a file is an image or a video, by its first bytes; None if it is neither.

    A GIF is an image. Whether it can be used is found out when it is taken in.
    """
    kinds = possible(_head(path, HEAD_BYTES))
    if not kinds and path.suffix.lower() in _UNSNIFFED:
        return "image"
    return next((kind for kind in kinds if kind in ("image", "video")), None)


def _lyrics(path: Path) -> str:
    data = _head(path, _LRC_BYTES + 1)
    text = decode_lrc(data)
    if len(data) > _LRC_BYTES or len(text) > LONGEST_LRC:
        raise InputError(f"{path} is longer than {LONGEST_LRC} characters; those are no lyrics.")
    try:
        parse_lrc(text)
    except CompositionError as exc:
        raise CompositionError(f"{path.name}: {exc.message}") from exc
    return text


def _head(path: Path, limit_bytes: int) -> bytes:
    """The first bytes of a file. Raises InputError."""
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes)
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
