"""``midifarm submit``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from coordinator.branding import branding_uses, is_address, with_names
from coordinator.cli.composing import Uploads, document_of
from coordinator.cli.configuration import DEFAULT_PRESET, read_configuration
from coordinator.cli.drawing_options import DrawingOptions, read_drawing, with_drawing
from coordinator.cli.options import with_settings
from coordinator.cli.output_options import OutputOptions, with_outputs
from coordinator.cli.session import open_client
from coordinator.cli.song_files import check_files, keep_apart
from coordinator.cli.song_options import (
    AudioFile,
    End,
    SongFile,
    Start,
    read_seconds,
)
from coordinator.cli.watching import all_completed, tell_end, watch_exports
from coordinator.client import Client, Export
from coordinator.output import check_output, new_file
from coordinator.settings import ClientSettings
from shared.branding import Branding
from shared.errors import InputError
from shared.export import ExportConfiguration
from shared.preview import IMAGE_FORMATS
from shared.templates import TEMPLATES

_STILL_WIDTH: Final = 1920


@with_settings(ClientSettings)
@with_outputs
@with_drawing
def submit(
    settings: ClientSettings,
    outputs: OutputOptions,
    drawing: DrawingOptions,
    song: SongFile,
    audio: AudioFile = None,
    soundfont: Annotated[
        Path | None,
        typer.Option(help="The SoundFont to play it through; else one that the workers have."),
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(
            help="Output settings, once for each video that is wanted; `midifarm presets` lists "
            "them. youtube_1080p if not given. Several are one batch, which costs less together."
        ),
    ] = None,
    start: Start = "0",
    end: End = None,
    priority: Annotated[
        int, typer.Option(min=-100, max=100, help="Higher is earlier, among your own exports.")
    ] = 0,
    pool: Annotated[
        str | None,
        typer.Option(
            help="The nodes that may render it, by the name that their operator gave them."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call it; the name of the MIDI file if not given.")
    ] = None,
    still: Annotated[
        Path | None,
        typer.Option(
            metavar="FRAME.png",
            help="Queue nothing, but have the server draw one frame of the video: a .png, .jpg or "
            ".webp.",
        ),
    ] = None,
    still_at: Annotated[
        str, typer.Option(metavar="S", help="Where in the video that frame is, in seconds.")
    ] = "0",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --still if it exists.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait until all have ended; exit 1 if any failed.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help='Print one JSON object {"exports": […]}.')
    ] = False,
) -> None:
    """Have a server make videos of a song: upload it, and queue one export for each preset."""
    drawn = read_drawing(drawing)
    asked: dict[str, Any] = {
        "start_s": float(read_seconds(start, "--start")),
        "end_s": None if end is None else float(read_seconds(end, "--end")),
    }
    at_s = float(read_seconds(still_at, "--still-at"))
    image_format = None if still is None else _check_still(still, overwrite=overwrite)
    check_files(song, audio, soundfont)
    keep_apart([song, audio, soundfont, *drawn.files], [still])
    with open_client(settings) as client:

        def find_branding(template: str) -> Branding:
            if template in TEMPLATES:
                return TEMPLATES[template].branding
            found = client.template(template)
            named = {"template": f"{found.id}@{found.version}"}
            return Branding.model_validate(found.branding | named)

        wanted: list[str | None] = [*preset] if preset else [None]
        configurations = [
            read_configuration(each, outputs, find_branding=find_branding) for each in wanted
        ]
        for each in configurations:
            check_files(*_branding_files(each.branding))
        document = document_of(
            Uploads(client),
            song=song,
            audio=audio,
            soundfont=soundfont,
            drawing=drawing,
            drawn=drawn,
        )
        made = client.create_composition(name or song.stem, **document)
        configs = [_uploaded(client, each) for each in configurations]
        if still is not None:
            look = {"at_s": at_s, "image_format": image_format, "width": _STILL_WIDTH}
            queued = client.create_preview(made.id, config=configs[0], **look, **asked)
            data = client.preview_image(queued.id)
            with new_file(still, overwrite=overwrite) as target:
                target.write(data)
            _tell_still(still, as_json=as_json)
            return
        which: dict[str, Any] = {"configs": configs}
        if not outputs.changes_anything:
            which = {"presets": preset or [DEFAULT_PRESET]}
        exports = client.create_exports(
            made.id, name=name, priority=priority, pool=pool, **which, **asked
        )
    _tell(settings, exports, watch=watch, as_json=as_json)


def _branding_files(branding: Branding | None) -> list[Path]:
    """Files of this machine that branding names; what the server has already is none."""
    names = [use.asset_id for use in branding_uses(branding, "") if not is_address(use.asset_id)]
    return [Path(name) for name in names if not name.startswith("ast_")]


def _uploaded(client: Client, configuration: ExportConfiguration) -> dict[str, Any]:
    """A configuration as the server takes it, its files uploaded and named by asset ids."""
    if configuration.branding is not None:
        names = {
            use.asset_id: client.upload(Path(use.asset_id), kind=use.kind).id
            for use in branding_uses(configuration.branding, "")
            if not is_address(use.asset_id) and Path(use.asset_id).is_file()
        }
        branding = with_names(configuration.branding, names)
        configuration = configuration.model_copy(update={"branding": branding})
    return configuration.model_dump(mode="json", by_alias=True)


def _check_still(path: Path, *, overwrite: bool) -> str:
    """The format of an image by its name. Raises InputError."""
    found = IMAGE_FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(f"--still takes a .png, .jpg or .webp, not {path.name}.")
    check_output(path, overwrite=overwrite)
    return found


def _tell_still(path: Path, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"output": str(path)}) + "\n")
    else:
        Console(soft_wrap=True, highlight=False).print(f"{path}", markup=False)


def _tell(
    settings: ClientSettings, exports: Sequence[Export], *, watch: bool, as_json: bool
) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if not as_json:
        for export in exports:
            console.print(f"{export.id} {export.status}: {export.name}", markup=False)
    ended = watch_exports(settings, exports, shown=not as_json) if watch else list(exports)
    if as_json:
        plain = {"exports": [export.model_dump(mode="json") for export in ended]}
        sys.stdout.write(json.dumps(plain) + "\n")
    elif watch:
        for export in ended:
            console.print(tell_end(export), markup=False)
    if watch and not all_completed(ended):
        raise typer.Exit(1)
