"""``midifarm exports``: seeing how exports stand, and acting on them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn
from rich.table import Column, Table

from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell, id_column
from coordinator.cli.watching import all_completed, tell_end, watch_exports
from coordinator.client import Export, ServiceError
from coordinator.output import new_file
from coordinator.settings import ClientSettings
from shared.states import ExportStatus

exports = typer.Typer(
    help="See how exports stand, and act on them.", no_args_is_help=True, add_completion=False
)

ExportId = Annotated[str, typer.Argument(metavar="ID", help="The export's id.")]
ExportIds = Annotated[list[str], typer.Argument(metavar="ID…", help="The exports' ids.")]


@exports.command("list")
@with_settings(ClientSettings)
def list_exports(
    settings: ClientSettings,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="How many of the newest to leave out.")] = 0,
    status: Annotated[
        list[ExportStatus] | None,
        typer.Option(help="Only those that stand like this; several times, for any of them."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only those whose names contain it, in any case."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List your exports, newest first."""
    with open_client(settings) as client:
        page = client.exports(limit=limit, offset=offset, statuses=status or (), name=name)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    table = Table(id_column(), "status", "progress", "name", "made", box=None)
    for export in page.exports:
        made = f"{export.created_at:%Y-%m-%d %H:%M}" if export.created_at else ""
        done = f"{export.progress:.0%}"
        table.add_row(export.id, export.status, done, cell(export.name), made)
    console = Console()
    console.print(table)
    if page.has_more:
        console.print(f"There are older ones: --offset {offset + limit}", highlight=False)


@exports.command()
@with_settings(ClientSettings)
def show(settings: ClientSettings, export_id: ExportId, as_json: AsJson = False) -> None:
    """Show everything about an export."""
    with open_client(settings) as client:
        found = client.export_json(export_id)
    if as_json:
        print_json(found)
        return
    table = Table("", Column(overflow="fold"), box=None, show_header=False)
    for name, value in found.items():
        if value not in (None, [], ""):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            table.add_row(name, cell(text))
    Console().print(table)


@exports.command()
@with_settings(ClientSettings)
def attempts(
    settings: ClientSettings,
    export_id: ExportId,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what was tried for an export, newest first."""
    with open_client(settings) as client:
        found = client.attempts(export_id, limit=limit)
    if as_json:
        print_json({"attempts": [each.model_dump(mode="json") for each in found]})
        return
    table = Table("attempt", "what", "try", "worker", "begun", "outcome", "", box=None)
    for each in found:
        what = each.kind if each.chunk_index is None else f"{each.kind} {each.chunk_index}"
        begun = f"{each.started_at:%Y-%m-%d %H:%M:%S}"
        told = (each.outcome or "under way", cell(each.error_message or ""))
        table.add_row(str(each.attempt_id), what, str(each.number), each.worker or "", begun, *told)
    Console().print(table)


@exports.command()
@with_settings(ClientSettings)
def watch(settings: ClientSettings, export_ids: ExportIds, as_json: AsJson = False) -> None:
    """Wait until exports have ended; exit 1 if any was not completed."""
    with open_client(settings) as client:
        found = [client.export(each) for each in export_ids]
    ended = watch_exports(settings, found, shown=not as_json)
    _tell(ended, as_json=as_json)
    if not all_completed(ended):
        raise typer.Exit(1)


@exports.command()
@with_settings(ClientSettings)
def cancel(settings: ClientSettings, export_ids: ExportIds, as_json: AsJson = False) -> None:
    """Cancel exports that have not ended."""
    with open_client(settings) as client:
        _tell([client.cancel(each) for each in export_ids], as_json=as_json)


@exports.command()
@with_settings(ClientSettings)
def retry(settings: ClientSettings, export_ids: ExportIds, as_json: AsJson = False) -> None:
    """Try failed or cancelled exports again; a completed one is made once more, as a new export."""
    again, repeated = [], dict[str, str]()
    with open_client(settings) as client:
        for each in export_ids:
            if client.export(each).status is ExportStatus.COMPLETED:
                again.append(client.re_export(each))
                repeated[again[-1].id] = each
            else:
                again.append(client.retry(each))
    _tell(again, as_json=as_json, repeated=repeated)


@exports.command()
@with_settings(ClientSettings)
def prioritise(
    settings: ClientSettings,
    export_id: ExportId,
    priority: Annotated[int, typer.Argument(min=-100, max=100, help="Higher is earlier.")],
    as_json: AsJson = False,
) -> None:
    """Move an export forward or back among your own."""
    with open_client(settings) as client:
        _tell([client.set_priority(export_id, priority)], as_json=as_json)


@exports.command()
@with_settings(ClientSettings)
def download(
    settings: ClientSettings,
    export_id: ExportId,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The video; the export's name in this folder if not given.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download a finished video; what arrives is compared with what was made."""
    with open_client(settings) as client:
        found = client.export(export_id)
        target = output or Path(_file_name(found.name or export_id, found.container))
        console = Console(file=sys.stderr)
        bar = Progress(
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            disable=as_json or not console.is_terminal,
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=None)
            export = client.download(
                export_id,
                target,
                overwrite=overwrite,
                on_bytes=lambda done, total: bar.update(task, completed=done, total=total),
            )
    if as_json:
        print_json({"output": str(target), "bytes": export.file_size, "sha256": export.sha256})
    else:
        Console(soft_wrap=True, highlight=False).print(f"{target}", markup=False)


@exports.command()
@with_settings(ClientSettings)
def link(
    settings: ClientSettings,
    export_id: ExportId,
    days: Annotated[
        float, typer.Option(metavar="DAYS", min=0.001, max=90.0, help="How long it works.")
    ] = 7.0,
    as_json: AsJson = False,
) -> None:
    """Make a link to a finished video, for somebody without a key; it is printed this once."""
    with open_client(settings) as client:
        made = client.make_link(export_id, expires_in_s=round(days * 86_400))
    if made.url is None:
        raise ServiceError("The link was made, but its address was lost on the way; make another.")
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        typer.echo(made.url)


@exports.command()
@with_settings(ClientSettings)
def poster(
    settings: ClientSettings,
    export_id: ExportId,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.jpg",
            help="The picture; the export's name in this folder if not given.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download the picture that stands for a finished video."""
    with open_client(settings) as client:
        target = output or Path(_file_name(client.export(export_id).name or export_id, "jpg"))
        client.poster(export_id, target, overwrite=overwrite)
    _tell_file(target, as_json=as_json)


@exports.command()
@with_settings(ClientSettings)
def latest(
    settings: ClientSettings,
    export_id: ExportId,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE.jpg", help="The picture, replaced if there."),
    ] = Path("latest.jpg"),
    width: Annotated[
        int | None, typer.Option(min=16, max=3840, help="Its width in pixels, at most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at the last finished frame of an export while it renders."""
    with open_client(settings) as client:
        data = client.latest(export_id, width=width)
    with new_file(output, overwrite=True) as target:
        target.write(data)
    _tell_file(output, as_json=as_json)


def _tell_file(path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"output": str(path)})
    else:
        Console(soft_wrap=True, highlight=False).print(f"{path}", markup=False)


def _tell(
    found: Sequence[Export], *, as_json: bool, repeated: Mapping[str, str] | None = None
) -> None:
    """Print how exports stand; ``repeated`` gives new ones the old one that they repeat."""
    if as_json:
        print_json({"exports": [export.model_dump(mode="json") for export in found]})
        return
    console = Console(soft_wrap=True, highlight=False)
    for export in found:
        line = tell_end(export)
        if repeated and export.id in repeated:
            line += f" (a new export, which repeats {repeated[export.id]})"
        console.print(line, markup=False)


def _file_name(name: str, suffix: str) -> str:
    """A name that somebody gave an export, as that of a file in this folder."""
    stem = re.sub(r"[^\w .()\[\]-]+", "_", name).strip(" .") or "video"
    return f"{stem.removesuffix(f'.{suffix}')[:200]}.{suffix}"
