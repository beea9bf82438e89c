"""``midifarm batch``: many songs from a manifest, in one call that can be repeated."""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from coordinator.cli.batches import fetch_batch, tell_batch, tell_json
from coordinator.cli.composing import Uploads, document_of
from coordinator.cli.configuration import DEFAULT_PRESET
from coordinator.cli.drawing_options import Drawing, DrawingOptions, read_drawing
from coordinator.cli.manifest import Manifest, Song, read_manifest
from coordinator.cli.options import with_settings
from coordinator.cli.session import open_client
from coordinator.cli.song_files import check_files
from coordinator.client import Batch, Client
from coordinator.settings import ClientSettings
from shared.errors import InputError, MidifarmError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A song whose files are there."""

    song: Song
    midi: Path
    audio: Path | None
    soundfont: Path | None
    drawing: DrawingOptions
    drawn: Drawing


@with_settings(ClientSettings)
def batch(
    settings: ClientSettings,
    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST", help="The songs: a .json or a .csv (docs/batches.md)."),
    ],
    preset: Annotated[
        list[str] | None,
        typer.Option(help="Output settings for all songs that name none, once for each."),
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="Branding for all songs that name none.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="The nodes that may render all songs that name none.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the batch; the manifest's name if not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Wait, and download every finished video here."
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait until all have ended; exit 1 if any failed.")
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Make a new batch, although the same manifest was sent before."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Have a server make videos of many songs. The same command again goes on where it was cut."""
    asked = read_manifest(manifest)
    checked = [_check(song, manifest, place) for place, song in enumerate(asked.items, 1)]
    if output is not None and not output.is_dir():
        raise InputError(f"There is no folder {output} to put the videos in.")
    salt = uuid.uuid4().hex if anew else ""
    with open_client(settings) as client:
        made = _submit(
            client,
            asked,
            checked,
            name=name or asked.name or manifest.stem,
            beside={"presets": preset, "template": template, "pool": pool},
            salt=salt,
            shown=not as_json,
        )
        if not as_json:
            tell_batch(made)
        fetched: list[Path] = []
        if watch or output is not None:
            made, fetched = fetch_batch(client, made, output, shown=not as_json)
            if not as_json:
                tell_batch(made)
    if as_json:
        tell_json(made, fetched)
    if (watch or output is not None) and not made.all_completed:
        raise typer.Exit(1)


def _check(song: Song, manifest: Path, place: int) -> _Checked:
    """A song with its files, before anything is sent. Raises InputError."""

    def beside(path: Path | None) -> Path | None:
        return None if path is None else manifest.parent / path

    midi = manifest.parent / song.midi
    audio, soundfont = beside(song.audio), beside(song.soundfont)
    drawing = DrawingOptions(
        style=song.style,
        composition=beside(song.composition),
        title=song.title,
        artist=song.artist,
        cover=beside(song.cover),
        background=beside(song.background),
        lyrics=beside(song.lyrics),
    )
    try:
        check_files(midi, audio, soundfont)
        drawn = read_drawing(drawing)
    except InputError as exc:
        raise InputError(f"Song {place} of {manifest.name}: {exc.message}") from exc
    return _Checked(
        song=song, midi=midi, audio=audio, soundfont=soundfont, drawing=drawing, drawn=drawn
    )


def _submit(
    client: Client,
    asked: Manifest,
    checked: list[_Checked],
    *,
    name: str,
    beside: dict[str, Any],
    salt: str,
    shown: bool,
) -> Batch:
    """Upload what is missing and queue everything.

    Every request carries a key that follows from what it asks for: who was cut off and runs the
    same command again gets what was made before, and goes on.
    """
    upload = Uploads(client)
    console = Console(file=sys.stderr)
    bars = Progress(
        TextColumn("uploading"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
    )
    items = []
    with bars:
        for place, each in enumerate(bars.track(checked), 1):
            try:
                items.append(_compose(client, upload, each, salt))
            except MidifarmError as exc:
                exc.message = f"Song {place}, {each.midi.name}: {exc.message}"
                raise
    said = {field: value for field, value in beside.items() if value} | asked.said
    if not said.keys() & {"presets", "config"} and not all(
        item.keys() & {"presets", "config"} for item in items
    ):
        said["presets"] = [DEFAULT_PRESET]
    body = {"name": name, "items": items, **said}
    return client.create_batch(name, items, key=_key("batch", body, salt), **said)


def _compose(client: Client, upload: Uploads, each: _Checked, salt: str) -> dict[str, Any]:
    """One item of the request, whose composition is made if it was not before."""
    document = document_of(
        upload,
        song=each.midi,
        audio=each.audio,
        soundfont=each.soundfont,
        drawing=each.drawing,
        drawn=each.drawn,
    )
    name = each.song.name or each.midi.stem
    key = _key("composition", {"name": name, **document}, salt)
    made = client.create_composition(name, key=key, **document)
    titled = {"name": each.song.name} if each.song.name else {}
    return {"composition_id": made.id, **titled, **each.song.said}


def _key(kind: str, asked: dict[str, Any], salt: str) -> str:
    told = json.dumps([kind, asked, salt], sort_keys=True).encode()
    return f"{kind}-{hashlib.sha256(told).hexdigest()[:40]}"
