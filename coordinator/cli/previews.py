"""``midifarm still``, ``midifarm contact-sheet`` and ``midifarm preview``.

They take the options of ``midifarm render``, draw with the same code, and need no cluster.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from cluster.isolated import call_isolated
from coordinator.cli.configuration import read_configuration
from coordinator.cli.drawing_options import DrawingOptions, read_drawing, with_drawing
from coordinator.cli.output_options import OutputOptions, with_outputs
from coordinator.cli.song_files import branding_files, check_files, images_at_hand, keep_apart
from coordinator.cli.song_options import (
    AudioFile,
    End,
    SongFile,
    SoundFontFile,
    Start,
    read_seconds,
)
from coordinator.output import check_output, publish
from shared.errors import CompositionError, InputError
from shared.intake import IntakeRequest
from shared.preview import IMAGE_FORMATS, ImageFormat, PreviewKind, PreviewReport
from shared.settings import read_settings
from shared.storage import open_store

_WIDEST: Final = 3840
_SHEET_WIDTH: Final = 1280
_CLIP_WIDTH: Final = 640

PresetName = Annotated[
    str | None,
    typer.Option(help="Output settings, whose shape it has; `midifarm presets` lists them."),
]
At = Annotated[str, typer.Option(metavar="S", help="Where in the video, in seconds.")]
Width = Annotated[
    int | None, typer.Option(min=16, max=_WIDEST, help="Its width in pixels, at most.")
]
HeardFile = Annotated[
    Path | None,
    typer.Option("--audio", help="Its recording, to which what is drawn may listen."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@with_outputs
@with_drawing
def still(
    outputs: OutputOptions,
    drawing: DrawingOptions,
    song: SongFile,
    audio: HeardFile = None,
    soundfont: SoundFontFile = None,
    at: At = "0",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FRAME.png",
            help="A .png, .jpg or .webp; SONG.png if not given.",
        ),
    ] = None,
    preset: PresetName = None,
    width: Width = None,
    start: Start = "0",
    end: End = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Draw one frame of the video that these options would make."""
    _make(
        _Asked(
            kind="still",
            song=song,
            audio=audio,
            soundfont=soundfont,
            output=output or Path(f"{song.stem}.png"),
            at=at,
            width=width,
            overwrite=overwrite,
            as_json=as_json,
        ),
        outputs,
        preset,
        drawing,
        (start, end),
    )


@with_outputs
@with_drawing
def contact_sheet(
    outputs: OutputOptions,
    drawing: DrawingOptions,
    song: SongFile,
    audio: HeardFile = None,
    soundfont: SoundFontFile = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="SHEET.png",
            help="A .png, .jpg or .webp; SONG-sheet.png if not given.",
        ),
    ] = None,
    preset: PresetName = None,
    width: Width = _SHEET_WIDTH,
    start: Start = "0",
    end: End = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Draw frames from all over the video onto one picture."""
    _make(
        _Asked(
            kind="sheet",
            song=song,
            audio=audio,
            soundfont=soundfont,
            output=output or Path(f"{song.stem}-sheet.png"),
            at="0",
            width=width,
            overwrite=overwrite,
            as_json=as_json,
        ),
        outputs,
        preset,
        drawing,
        (start, end),
    )


@with_outputs
@with_drawing
def preview(
    outputs: OutputOptions,
    drawing: DrawingOptions,
    song: SongFile,
    audio: AudioFile = None,
    soundfont: SoundFontFile = None,
    at: At = "0",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="CLIP.mp4", help="SONG-preview.mp4 if not given."),
    ] = None,
    preset: PresetName = None,
    width: Width = _CLIP_WIDTH,
    start: Start = "0",
    end: End = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a clip of up to 10 s of the video, in a low resolution."""
    _make(
        _Asked(
            kind="clip",
            song=song,
            audio=audio,
            soundfont=soundfont,
            output=output or Path(f"{song.stem}-preview.mp4"),
            at=at,
            width=width,
            overwrite=overwrite,
            as_json=as_json,
        ),
        outputs,
        preset,
        drawing,
        (start, end),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    kind: PreviewKind
    song: Path
    audio: Path | None
    soundfont: Path | None
    output: Path
    at: str
    width: int | None
    overwrite: bool
    as_json: bool


def _make(
    asked: _Asked,
    outputs: OutputOptions,
    preset: str | None,
    drawing: DrawingOptions,
    span: tuple[str, str | None],
) -> None:
    configuration = read_configuration(preset, outputs)
    if configuration.format.picture is None:
        raise CompositionError(f"{configuration.format.container} has no picture to look at.")
    image_format = _image_format(asked)
    drawn = read_drawing(drawing)
    start_s = float(read_seconds(span[0], "--start"))
    end_s = None if span[1] is None else float(read_seconds(span[1], "--end"))
    at_s = float(read_seconds(asked.at, "--at"))
    branded = branding_files(configuration.branding)
    files = [asked.song, asked.audio, asked.soundfont, *drawn.files, *branded]
    check_files(*files)
    keep_apart(files, [asked.output])
    check_output(asked.output, overwrite=asked.overwrite)
    settings = read_settings()
    store_url = str(settings.data_dir.absolute())
    store = open_store(store_url)
    with images_at_hand(configuration) as branding:
        request = IntakeRequest(
            midi=asked.song.absolute(),
            audio=asked.audio and asked.audio.absolute(),
            soundfont=asked.soundfont and asked.soundfont.absolute(),
            composition=drawn.dressed,
            branding=branding,
            folder=drawn.folder,
            start_s=start_s,
            end_s=end_s,
            with_audio=asked.kind == "clip" and configuration.has_sound,
        )
        found = call_isolated(
            "preview",
            request=request.model_dump(mode="json"),
            configuration=configuration.model_dump(mode="json"),
            kind=asked.kind,
            at_s=at_s,
            width=asked.width or min(configuration.quality.resolution.width, _WIDEST),
            image_format=image_format,
            store_url=store_url,
        )
    report = PreviewReport.model_validate(found)
    publish(store, report.key, asked.output, overwrite=asked.overwrite)
    _tell(asked, report)


def _image_format(asked: _Asked) -> ImageFormat:
    """The format that the name of the output asks for. Raises CompositionError."""
    suffix = asked.output.suffix.lower()
    if asked.kind == "clip":
        if suffix != ".mp4":
            raise InputError(f"A clip is an mp4: call it {asked.output.with_suffix('.mp4')}.")
        return "png"
    if suffix not in IMAGE_FORMATS:
        raise InputError(f"{asked.output} is no picture's name; end it in .png, .jpg or .webp.")
    return IMAGE_FORMATS[suffix]


def _tell(asked: _Asked, report: PreviewReport) -> None:
    if asked.as_json:
        plain = report.model_dump(mode="json", exclude={"key"}) | {"output": str(asked.output)}
        sys.stdout.write(json.dumps(plain) + "\n")
        return
    for warning in report.warnings:
        typer.echo(f"note: {warning}", err=True)
    size = f"{report.width}x{report.height}, {report.size_bytes / 1000:.0f} kB"
    typer.echo(f"{asked.output}: {size}")
