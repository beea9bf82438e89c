"""``midifarm submit``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from coordinator.cli.options import with_settings
from coordinator.cli.session import open_client
from coordinator.cli.song_options import (
    AudioFile,
    CompositionFile,
    End,
    Size,
    SongFile,
    Start,
    StyleName,
    read_composition,
    read_configuration,
    read_seconds,
)
from coordinator.cli.watching import all_completed, tell_end, watch_exports
from coordinator.client import Client, Export
from coordinator.settings import ClientSettings
from shared.composition import BackgroundLayer, Composition, TitleLayer
from shared.errors import InputError


@with_settings(ClientSettings)
def submit(
    settings: ClientSettings,
    song: SongFile,
    audio: AudioFile = None,
    soundfont: Annotated[
        Path | None,
        typer.Option(help="The SoundFont to play it through; else one that the workers have."),
    ] = None,
    style: StyleName = None,
    composition: CompositionFile = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(
            help="Output settings, once for each video that is wanted; `midifarm presets` lists "
            "them. youtube_1080p if not given."
        ),
    ] = None,
    size: Size = None,
    fps: Annotated[str | None, typer.Option(help="Another frame rate than the preset's.")] = None,
    start: Start = "0",
    end: End = None,
    priority: Annotated[
        int, typer.Option(min=-100, max=100, help="Higher is earlier, among your own exports.")
    ] = 0,
    name: Annotated[
        str | None, typer.Option(help="What to call it; the name of the MIDI file if not given.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait until all have ended; exit 1 if any failed.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help='Print one JSON object {"exports": […]}.')
    ] = False,
) -> None:
    """Have a server make videos of a song: upload it, and queue one export for each preset."""
    drawn = read_composition(style, composition)
    presets = preset or ["youtube_1080p"]
    configurations = [read_configuration(each, size, fps) for each in presets]
    _check_files(song, audio, soundfont)
    asked: dict[str, Any] = {
        "start_s": float(read_seconds(start, "--start")),
        "end_s": None if end is None else float(read_seconds(end, "--end")),
        "priority": priority,
    }
    title = name or song.stem
    with open_client(settings) as client:
        document: dict[str, Any] = {
            "midi": client.upload(song, kind="midi").id,
            "audio": audio and client.upload(audio, kind="audio").id,
            "soundfont": soundfont and client.upload(soundfont, kind="soundfont").id,
            "style": style,
        }
        if composition is not None:
            uploaded = _upload_parts(client, drawn, composition.parent)
            document["composition"] = uploaded.model_dump(mode="json")
        made = client.create_composition(title, **document)
        if size is None and fps is None:
            exports = client.create_exports(made.id, presets=presets, name=name, **asked)
        else:
            exports = tuple(
                export
                for each in configurations
                for export in client.create_exports(
                    made.id, config=each.model_dump(mode="json", by_alias=True), name=name, **asked
                )
            )
    _tell(settings, exports, watch=watch, as_json=as_json)


def _tell(
    settings: ClientSettings, exports: tuple[Export, ...], *, watch: bool, as_json: bool
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


def _check_files(*paths: Path | None) -> None:
    """Find out before anything is uploaded."""
    for path in paths:
        try:
            if path is not None and not path.is_file():
                raise InputError(f"There is no file {path}.")
        except OSError as exc:  # such as a name that is too long
            raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc


def _upload_parts(client: Client, drawn: Composition, folder: Path) -> Composition:
    """The composition with its images and fonts uploaded and named by asset ids."""
    layers: list[Any] = []
    for layer in drawn.layers:
        if isinstance(layer, BackgroundLayer) and layer.image is not None:
            image = client.upload(folder / layer.image, kind="image")
            layers.append(layer.model_copy(update={"image": image.id}))
        elif isinstance(layer, TitleLayer) and layer.font is not None:
            font = client.upload(folder / layer.font, kind="font")
            layers.append(layer.model_copy(update={"font": font.id}))
        else:
            layers.append(layer)
    return drawn.model_copy(update={"layers": tuple(layers)})
