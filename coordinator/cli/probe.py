"""``midifarm probe``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cluster.isolated import call_isolated


def probe(
    file: Annotated[Path, typer.Argument(help="A MIDI, audio, video or image file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what is in a file; for MIDI also every repair that reading it took."""
    found = call_isolated("inspect", path=str(file))
    console = Console()
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table(box=None, show_header=False)
    for name, value in found.items():
        table.add_row(name, _brief(value))
    console.print(table)


def _brief(value: Any) -> str:
    """A value in a line or a few."""
    if not isinstance(value, list):
        return f"{value:.3f}" if isinstance(value, float) else str(value)
    shown = []
    for item in value[:12]:
        if isinstance(item, dict):
            shown.append(", ".join(f"{k} {_brief(v)}" for k, v in item.items() if v is not None))
        else:
            shown.append(_brief(item))
    if len(value) > len(shown):
        shown.append(f"… {len(value) - len(shown)} more")
    separator = "\n" if value and isinstance(value[0], dict) else "  "
    return separator.join(shown)
