"""``midifarm doctor``."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cluster.isolated import call_isolated
from shared.errors import MidifarmError
from shared.settings import read_settings, usable_cores

_ENOUGH_BYTES: int = 5 << 30


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of findings.")] = False,
) -> None:
    """Check what rendering needs on this machine, and say what to do about what is missing."""
    findings = [_cores(), *_workers(), _ray(), _disk(read_settings().data_dir)]
    healthy = all(finding["ok"] for finding in findings if finding["needed"])
    console = Console()
    if as_json:
        typer.echo(json.dumps(findings))
    else:
        table = Table("", "", "", box=None, show_header=False)
        for finding in findings:
            state = "[green]ok[/]" if finding["ok"] else "[red]missing[/]"
            if not finding["ok"] and not finding["needed"]:
                state = "[yellow]missing[/]"
            table.add_row(
                finding["name"], state, finding["detail"] if finding["ok"] else finding["advice"]
            )
        console.print(table)
    if not healthy:
        raise typer.Exit(1)


def _finding(name: str, ok: bool, detail: str, advice: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail, "advice": advice, "needed": True}


def _cores() -> dict[str, Any]:
    cores = usable_cores()
    return _finding("Processors", True, f"{cores} usable, one render process each", "")


def _workers() -> list[dict[str, Any]]:
    try:
        findings: list[dict[str, Any]] = call_isolated("examine")
    except MidifarmError as exc:
        # A broken driver may crash whoever opens it; that is a finding too.
        advice = f"{exc.message} Install libegl1 and libgl1-mesa-dri, or repair the GPU's driver."
        return [_finding("OpenGL", False, "", advice)]
    return findings


def _ray() -> dict[str, Any]:
    try:
        return _finding("Ray", True, importlib.metadata.version("ray"), "")
    except importlib.metadata.PackageNotFoundError:
        return _finding("Ray", False, "", "Install what requirements.lock lists: make setup.")


def _disk(folder: Path) -> dict[str, Any]:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / (1 << 30):.1f} GiB free in {folder}"
    advice = f"Only {detail}: make room, or put the data elsewhere with MIDIFARM_DATA_DIR."
    return _finding("Disk", free > _ENOUGH_BYTES, detail, advice)
