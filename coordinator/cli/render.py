"""``midifarm render``."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cluster.executor import open_executor
from cluster.isolated import call_isolated
from cluster.session import preload
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
from coordinator.export_run import OnProgress
from coordinator.export_run import Progress as ExportProgress
from coordinator.render import RenderRequest, RenderResult
from coordinator.render import render as render_export
from coordinator.trimming import trim_store
from shared.errors import InputError
from shared.intake import Intake, IntakeRequest
from shared.settings import read_settings
from shared.storage import open_store


def render(
    song: SongFile,
    audio: AudioFile = None,
    soundfont: Annotated[
        Path | None, typer.Option(help="The SoundFont to play it through; else one that is found.")
    ] = None,
    style: StyleName = None,
    composition: CompositionFile = None,
    preset: Annotated[
        str, typer.Option(help="Output settings; `midifarm presets` lists them.")
    ] = "youtube_1080p",
    size: Size = None,
    fps: Annotated[
        str | None,
        typer.Option(
            help="Another frame rate: 24, 25, 30, 50, 60, 24000/1001, 30000/1001, 60000/1001."
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
            help="The video; the song's name in this folder if not given.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the video if it exists.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print nothing but one JSON object on standard output.")
    ] = False,
) -> None:
    """Render a MIDI file, and its recording if there is one, to a verified video.

    The exit status is 0 only if the finished file was checked and is as planned; 2 means that
    something about the input must change, and the message says what.
    """
    began_s = time.monotonic()
    settings = read_settings()
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    request = RenderRequest(
        midi=song,
        audio=audio,
        soundfont=soundfont,
        composition=read_composition(style, composition),
        folder=composition.parent if composition else Path.cwd(),
        configuration=read_configuration(preset, size, fps),
        start_s=read_seconds(start, "--start"),
        end_s=None if end is None else read_seconds(end, "--end"),
        output=output or Path(f"{song.stem}.mp4"),
        overwrite=overwrite,
    )
    for path in (song, audio, soundfont):
        if path is not None:
            _check_input(path, request.output)
    preload(settings.ray_address)
    store_url = str(settings.data_dir.absolute())
    store = open_store(store_url)
    console = Console(stderr=True)
    with _progress_bar(console, shown=not as_json) as on_progress:
        result = render_export(
            request,
            store=store,
            take_in=partial(_take_in, store_url=store_url),
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
    _tell(result, console, as_json=as_json)


def _check_input(path: Path, output: Path) -> None:
    try:
        found = path.is_file()
    except OSError as exc:  # such as a name that is too long
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if not found:
        raise InputError(f"There is no file {path}.")
    with suppress(OSError):  # what is wrong with the output is told by check_output
        if output.samefile(path):
            raise InputError(f"{output} is read for the video and cannot be replaced by it.")


def _take_in(request: IntakeRequest, *, store_url: str) -> Intake:
    found = call_isolated("take_in", request=request.model_dump(mode="json"), store_url=store_url)
    return Intake.model_validate(found)


@contextmanager
def _progress_bar(console: Console, *, shown: bool) -> Iterator[OnProgress]:
    """A live bar: frames, frames a second, time left, chunks done."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} frames"),
        TextColumn("{task.fields[rate]}"),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=1, rate="")

        def on_progress(progress: ExportProgress) -> None:
            left = f", {progress.eta_s:.0f} s left" if progress.eta_s is not None else ""
            bar.update(
                task,
                description=progress.stage,
                completed=progress.frames,
                total=progress.total_frames,
                rate=f"{progress.fps:.1f} fps{left}, "
                f"{progress.chunks}/{progress.total_chunks} chunks",
            )

        yield on_progress


def _tell(result: RenderResult, console: Console, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
        return
    for warning in result.warnings:
        console.print(f"[yellow]note:[/] {warning}", highlight=False)
    sound = "silent" if result.audio_lufs is None else f"{result.audio_lufs:.1f} LUFS"
    typer.echo(
        f"{result.output}: {result.width}x{result.height} {result.fps:g} fps, "
        f"{result.duration_s:.2f} s, {result.frames} frames, {result.bytes / 1e6:.1f} MB, {sound}; "
        f"rendered in {result.elapsed_s:.1f} s ({result.render_fps:.1f} fps)"
    )
