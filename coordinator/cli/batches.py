"""``midifarm batches``: how many exports at once stand, and fetching what came of them."""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell, id_column
from coordinator.client import Batch, BatchEvent, Client, Result
from coordinator.settings import ClientSettings
from coordinator.texts import file_name
from shared.errors import InputError
from shared.states import ExportStatus

batches = typer.Typer(
    help="See how batches stand, and act on them.", no_args_is_help=True, add_completion=False
)

BatchId = Annotated[str, typer.Argument(metavar="ID", help="The batch's id.")]
Folder = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FOLDER", help="Download every finished video here."),
]


@batches.command("list")
@with_settings(ClientSettings)
def list_all(
    settings: ClientSettings,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List your batches, newest first."""
    with open_client(settings) as client:
        found = list(itertools.islice(client.batches(), limit))
    if as_json:
        print_json({"batches": [each.model_dump(mode="json") for each in found]})
        return
    table = Table(id_column(), "exports", "progress", "name", "made", box=None)
    for each in found:
        made = f"{each.created_at:%Y-%m-%d %H:%M}" if each.created_at else ""
        table.add_row(each.id, f"{each.total:,}", f"{each.progress:.0%}", cell(each.name), made)
    Console().print(table)


@batches.command()
@with_settings(ClientSettings)
def show(settings: ClientSettings, batch_id: BatchId, as_json: AsJson = False) -> None:
    """Show how a batch stands."""
    with open_client(settings) as client:
        _tell(client.batch(batch_id), as_json=as_json)


@batches.command()
@with_settings(ClientSettings)
def watch(
    settings: ClientSettings, batch_id: BatchId, output: Folder = None, as_json: AsJson = False
) -> None:
    """Wait until all exports of a batch have ended; exit 1 if any was not completed."""
    if output is not None and not output.is_dir():
        raise InputError(f"There is no folder {output} to put the videos in.")
    with open_client(settings) as client:
        found, fetched = fetch_batch(client, client.batch(batch_id), output, shown=not as_json)
    if as_json:
        tell_json(found, fetched)
    else:
        tell_batch(found)
    if not found.all_completed:
        raise typer.Exit(1)


@batches.command()
@with_settings(ClientSettings)
def cancel(settings: ClientSettings, batch_id: BatchId, as_json: AsJson = False) -> None:
    """Cancel whatever of a batch has not ended."""
    with open_client(settings) as client:
        _tell(client.cancel_batch(batch_id), as_json=as_json)


@batches.command()
@with_settings(ClientSettings)
def retry(
    settings: ClientSettings,
    batch_id: BatchId,
    cancelled: Annotated[
        bool, typer.Option("--cancelled", help="Also those that were cancelled.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try those exports of a batch again that failed."""
    statuses = [ExportStatus.FAILED] + ([ExportStatus.CANCELLED] if cancelled else [])
    with open_client(settings) as client:
        _tell(client.retry_batch(batch_id, statuses), as_json=as_json)


@batches.command()
@with_settings(ClientSettings)
def manifest(
    settings: ClientSettings,
    batch_id: BatchId,
    as_json: AsJson = False,
) -> None:
    """Print what came of every export of a batch."""
    with open_client(settings) as client:
        found = client.manifest(batch_id)
    if as_json:
        print_json({"results": [each.model_dump(mode="json") for each in found]})
        return
    table = Table(id_column(), "status", "file", "what went wrong", box=None)
    for each in found:
        table.add_row(
            each.export_id, each.status, cell(each.file_name), cell(each.error_message or "")
        )
    Console().print(table)


@batches.command()
@with_settings(ClientSettings)
def download(
    settings: ClientSettings,
    batch_id: BatchId,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the videos are put.")],
    as_json: AsJson = False,
) -> None:
    """Download the finished videos of a batch; what is there already, byte for byte, stays."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to put the videos in.")
    with open_client(settings) as client:
        fetched = _Folder(client, folder, batch_id).fetch_all()
    if as_json:
        print_json({"files": [str(path) for path in fetched]})
    else:
        for path in fetched:
            typer.echo(path)


def fetch_batch(
    client: Client, state: Batch, folder: Path | None, *, shown: bool
) -> tuple[Batch, list[Path]]:
    """Wait until a batch has ended, and download each video as soon as it is finished.

    Args:
        client: A client of the server.
        state: The batch.
        folder: Where the videos are put; None for not at all.
        shown: Whether a bar is drawn, on standard error; never where that is no terminal.

    Returns:
        How the batch ended, and the files of its videos.
    """
    videos = None if folder is None else _Folder(client, folder, state.id)
    console = Console(file=sys.stderr)
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
    )
    with bars:
        task = bars.add_task(state.name or state.id, total=1.0, detail="")
        for event in client.watch_batch(state.id):
            if isinstance(event, BatchEvent):
                state = event
                bars.update(task, completed=state.progress, detail=_counted(state))
            elif videos is not None and event.status is ExportStatus.COMPLETED:
                videos.fetch(event.id)
    return client.batch(state.id), [] if videos is None else videos.fetch_all()


class _Folder:
    """Where the videos of a batch are put, each under a name of its own."""

    def __init__(self, client: Client, folder: Path, batch_id: str) -> None:
        self._client = client
        self._folder = folder
        self._batch_id = batch_id
        self._names = _names(client.manifest(batch_id))
        self._fetched: dict[str, Path] = {}

    def fetch(self, export_id: str) -> None:
        if export_id in self._names and export_id not in self._fetched:
            target = self._folder / self._names[export_id]
            self._client.download(export_id, target, overwrite=True)
            self._fetched[export_id] = target

    def fetch_all(self) -> list[Path]:
        """Fetch whatever is missing; the files of all finished videos, in the batch's order."""
        found = []
        for result in self._client.manifest(self._batch_id):
            if result.download_url is None or result.export_id not in self._names:
                continue
            target = self._folder / self._names[result.export_id]
            if result.export_id not in self._fetched and not _is_there(target, result):
                self.fetch(result.export_id)
            found.append(target)
        return found


def _names(results: Sequence[Result]) -> dict[str, str]:
    """The name of each export's file; where several would have one, with the id in it."""
    plain = {each.export_id: file_name(each.file_name, each.export_id) for each in results}
    taken = Counter(name.casefold() for name in plain.values())

    def own(export_id: str, name: str) -> str:
        if taken[name.casefold()] == 1:
            return name
        path = Path(name)
        return f"{path.stem} ({export_id}){path.suffix}"

    return {export_id: own(export_id, name) for export_id, name in plain.items()}


def _is_there(path: Path, result: Result) -> bool:
    """Whether a file is the video, byte for byte."""
    try:
        if path.stat().st_size != result.file_size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == result.sha256
    except OSError:
        return False


def _counted(state: Batch) -> str:
    """``12 completed, 3 rendering, …``."""
    return ", ".join(f"{n:,} {status}" for status, n in state.counts.items() if n)


def tell_batch(state: Batch) -> None:
    """Print how a batch stands, in a line."""
    line = f"{state.id} {state.name}: {_counted(state) or 'no exports'}"
    Console(soft_wrap=True, highlight=False).print(line, markup=False)


def tell_json(state: Batch, fetched: Sequence[Path]) -> None:
    """Print how a batch stands, and what was downloaded of it, as JSON."""
    print_json({"batch": state.model_dump(mode="json"), "files": [str(path) for path in fetched]})


def _tell(state: Batch, *, as_json: bool) -> None:
    if as_json:
        print_json(state.model_dump(mode="json"))
    else:
        tell_batch(state)
