"""``midifarm render``."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from cluster.executor import open_executor
from cluster.session import preload
from coordinator.cli.configuration import read_configuration
from coordinator.cli.drawing_options import DrawingOptions, read_drawing, with_drawing
from coordinator.cli.output_options import OutputOptions, with_outputs
from coordinator.cli.song_files import (
    branding_files,
    check_files,
    images_at_hand,
    keep_apart,
    take_in,
)
from coordinator.cli.song_options import (
    AudioFile,
    End,
    SongFile,
    SoundFontFile,
    Start,
    read_seconds,
)
from coordinator.export_run import Progress as ExportProgress
from coordinator.render import Output, Refused, RenderRequest, RenderResult
from coordinator.render import render as render_exports
from coordinator.run_exports import OnProgress
from coordinator.trimming import trim_store
from shared.codecs import CONTAINERS, Container
from shared.errors import CompositionError
from shared.settings import read_settings
from shared.storage import open_store


@with_outputs
@with_drawing
def render(
    outputs: OutputOptions,
    drawing: DrawingOptions,
    song: SongFile,
    audio: AudioFile = None,
    soundfont: SoundFontFile = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(
            help="Output settings; `midifarm presets` lists them. youtube_1080p if not given; "
            "several times for several videos, which cost less together."
        ),
    ] = None,
    start: Start = "0",
    end: End = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Render processes; one a core if not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT.mp4",
            help="The video; the song's name in this folder if not given. With several presets "
            "the folder for SONG-PRESET.mp4.",
        ),
    ] = None,
    poster: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jpg", help="Where to put a picture that stands for the video."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the video if it exists.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help='Print nothing but one JSON object on standard output; {"exports": […]} for '
            "several presets.",
        ),
    ] = False,
) -> None:
    """Render a MIDI file, and its recording if there is one, to a verified video, or to several.

    The exit status is 0 only if every finished file was checked and is as planned; 2 means that
    something about the input must change, and the message says what.
    """
    began_s = time.monotonic()
    settings = read_settings()
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    wanted = _outputs(song, preset or [], outputs, output, poster)
    drawn = read_drawing(drawing)
    branded = branding_files(wanted[0].configuration.branding)
    read = [song, audio, soundfont, *drawn.files, *branded]
    seconds = read_seconds(start, "--start"), None if end is None else read_seconds(end, "--end")
    check_files(*read)
    keep_apart(read, [path for each in wanted for path in (each.path, each.poster)])
    preload(settings.ray_address)
    store_url = str(settings.data_dir.absolute())
    store = open_store(store_url)
    console = Console(stderr=True)
    with (
        images_at_hand(wanted[0].configuration) as branding,
        _progress_bars(console, wanted, shown=not as_json) as on_progress,
    ):
        results = render_exports(
            RenderRequest(
                midi=song,
                audio=audio,
                soundfont=soundfont,
                composition=drawn.dressed,
                folder=drawn.folder,
                outputs=tuple(_with_branding(each, branding) for each in wanted),
                start_s=seconds[0],
                end_s=seconds[1],
                overwrite=overwrite,
            ),
            store=store,
            take_in=partial(take_in, store_url=store_url),
            open_executor=partial(
                open_executor,
                store_url,
                address=settings.ray_address,
                workers=settings.workers,
            ),
            on_progress=on_progress,
            began_s=began_s,
        )
    trim_store(store, int(settings.cache_gib * (1 << 30)))
    if len(results) == 1:
        _tell_one(results[0], console, as_json=as_json)
    else:
        _tell_all(results, console, as_json=as_json)


def _outputs(
    song: Path,
    presets: Sequence[str],
    outputs: OutputOptions,
    target: Path | None,
    poster: Path | None,
) -> list[Output]:
    """The files that are asked for, each with its configuration."""
    if len(presets) > 1:
        if len(set(presets)) < len(presets):
            raise CompositionError("Give each --preset once.")
        if poster is not None:
            raise CompositionError("A --poster belongs to one video; give one --preset.")
        made = [read_configuration(preset, outputs) for preset in presets]
        folder = target or Path()
        return [
            Output(
                configuration=each,
                path=folder / f"{song.stem}-{preset}.{each.format.container}",
            )
            for preset, each in zip(presets, made, strict=True)
        ]
    named = _container(target)
    if outputs.format is None and named is not None and outputs.config is None:
        outputs = dataclasses.replace(outputs, format=named)
    made_one = read_configuration(presets[0] if presets else None, outputs)
    container = made_one.format.container
    if target is not None and named not in (None, container):
        raise CompositionError(
            f"What comes out is {container}: call it {target.with_suffix('.' + container)}, or "
            f"give --format {named}."
        )
    if poster is not None and not CONTAINERS[container].has_picture:
        raise CompositionError(f"{container} has no picture to make a poster of.")
    path = target or Path(f"{song.stem}.{container}")
    if poster is not None and poster.absolute() == path.absolute():
        raise CompositionError(f"{path} cannot be both the video and its --poster.")
    return [Output(configuration=made_one, path=path, poster=poster)]


def _container(target: Path | None) -> Container | None:
    """The file format that a file's name asks for; None where it asks for none."""
    suffix = target.suffix.lower().removeprefix(".") if target else ""
    return next((name for name in CONTAINERS if name == suffix), None)


def _with_branding(output: Output, branding: Any) -> Output:
    configuration = output.configuration.model_copy(update={"branding": branding})
    return dataclasses.replace(output, configuration=configuration)


@contextmanager
def _progress_bars(
    console: Console, outputs: Sequence[Output], *, shown: bool
) -> Iterator[OnProgress]:
    """A live bar for each file: frames, frames a second, time left, chunks done."""
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} frames"),
        TextColumn("{task.fields[rate]}"),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
    )
    prefixes = [f"{output.path.name} " if len(outputs) > 1 else "" for output in outputs]
    with bars:
        tasks: dict[int, TaskID] = {}

        def on_progress(place: int, progress: ExportProgress) -> None:
            if place not in tasks:
                tasks[place] = bars.add_task("", total=1, rate="")
            left = f", {progress.eta_s:.0f} s left" if progress.eta_s is not None else ""
            bars.update(
                tasks[place],
                description=prefixes[place] + progress.stage,
                completed=progress.frames,
                total=progress.total_frames,
                rate=f"{progress.fps:.1f} fps{left}, "
                f"{progress.chunks}/{progress.total_chunks} chunks",
            )

        yield on_progress


def _tell_one(result: RenderResult | Refused, console: Console, *, as_json: bool) -> None:
    if isinstance(result, Refused):
        raise result.error
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
        return
    for warning in result.warnings:
        console.print(f"[yellow]note:[/] {warning}", highlight=False)
    typer.echo(_line(result))


def _tell_all(
    results: Sequence[RenderResult | Refused], console: Console, *, as_json: bool
) -> None:
    failed = [result for result in results if isinstance(result, Refused)]
    if as_json:
        sys.stdout.write(json.dumps({"exports": [_plain(result) for result in results]}) + "\n")
    else:
        done = [result for result in results if isinstance(result, RenderResult)]
        for warning in dict.fromkeys(told for result in done for told in result.warnings):
            console.print(f"[yellow]note:[/] {warning}", highlight=False)
        for result in done:
            typer.echo(_line(result))
    for refused in failed:
        line = " ".join(refused.error.message.split())
        typer.echo(f"midifarm: {refused.output.path}: {line}", err=True)
    if failed:
        raise typer.Exit(1)


def _plain(result: RenderResult | Refused) -> dict[str, Any]:
    if isinstance(result, RenderResult):
        return dataclasses.asdict(result)
    return {
        "output": str(result.output.path),
        "preset": result.output.configuration.format.preset,
        "error": result.error.message,
    }


def _line(result: RenderResult) -> str:
    """A finished file in a line."""
    sound = "silent" if result.audio_lufs is None else f"{result.audio_lufs:.1f} LUFS"
    parts = [f"{result.duration_s:.2f} s", f"{result.bytes / 1e6:.1f} MB", sound]
    took = f"rendered in {result.elapsed_s:.1f} s"
    if result.fps is not None:
        parts = [
            f"{result.width}x{result.height} {result.fps:g} fps",
            parts[0],
            f"{result.frames} frames",
            *parts[1:],
        ]
        took += f" ({result.render_fps:.1f} fps)"
    return f"{result.output}: {', '.join(parts)}; {took}"
