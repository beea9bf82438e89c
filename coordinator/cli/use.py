"""``midifarm use`` and ``midifarm farm use``: what work took."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell
from coordinator.client import FarmUse, FarmUseReport
from coordinator.client.use import UseScope
from coordinator.settings import ClientSettings
from shared.errors import InputError

FirstDay = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC); 29 days ago without it."),
]
LastDay = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; today without it."),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets, with all.")]


@with_settings(ClientSettings)
def use(
    settings: ClientSettings,
    by: Annotated[
        Literal["day", "export", "batch", "pool", "kind"] | None,
        typer.Option(help="What is added up; days, or the exports of a batch, without it."),
    ] = None,
    export_id: Annotated[
        str | None, typer.Option("--export", metavar="ID", help="Only what an export took.")
    ] = None,
    batch_id: Annotated[
        str | None, typer.Option("--batch", metavar="ID", help="Only what a batch took.")
    ] = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show what your work took on the farm: slot-seconds, frames, bytes, and what it costs."""
    one = export_id or batch_id
    if one and (first_day or last_day or (export_id and batch_id)):
        raise InputError("Of an export or a batch, everything is told: name no days, and one.")
    scope = UseScope(
        export_id=export_id,
        batch_id=batch_id,
        first_day=first_day.date() if first_day else None,
        last_day=last_day.date() if last_day else None,
    )
    tell_use(settings, by, scope, as_csv=as_csv, as_json=as_json)


@with_settings(ClientSettings)
def farm_use(
    settings: ClientSettings,
    by: Annotated[
        Literal["user", "day", "export", "batch", "pool", "kind"],
        typer.Option(help="What is added up."),
    ] = "user",
    user: Annotated[str | None, typer.Option(help="Only that of a user.")] = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show what everybody's work took, and what of it was in vain."""
    scope = UseScope(
        is_farms=True,
        user_id=user,
        first_day=first_day.date() if first_day else None,
        last_day=last_day.date() if last_day else None,
    )
    tell_use(settings, by, scope, as_csv=as_csv, as_json=as_json)


def tell_use(
    settings: ClientSettings, by: str | None, scope: UseScope, *, as_csv: bool, as_json: bool
) -> None:
    """Print what work took.

    Args:
        settings: Of which server.
        by: What is added up.
        scope: Whose, and when.
        as_csv: Whether it is for a spreadsheet.
        as_json: Whether it is for a program.
    """
    with open_client(settings) as client:
        if as_csv:
            sys.stdout.write(client.use_table(by, scope))
            return
        found = client.use(by, scope)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        Console().print(_table(found))


def _table(found: FarmUseReport) -> Table:
    is_priced = found.total.cost is not None
    titles = ["slot-seconds", "in vain", "frames", "found", "stored", *(["cost"] * is_priced)]
    table = Table(found.by, box=None, show_footer=True)
    table.columns[0].footer = "all"
    for title, total in zip(titles, _numbers(found.total), strict=True):
        table.add_column(title, total, justify="right")
    for each in found.entries:
        about = each.about or "none"
        table.add_row(cell(f"{about}  {each.name or ''}".strip()), *_numbers(each))
    return table


def _numbers(use: FarmUse) -> list[str]:
    vain_s = use.slot_s - use.useful_s
    cost = [] if use.cost is None else [f"{use.cost:,.2f}"]
    return [
        f"{use.slot_s:,.0f}",
        f"{vain_s:,.0f}",
        f"{use.frames:,}",
        f"{use.frames_found:,}",
        f"{use.stored_bytes / 1e6:,.1f} MB",
        *cost,
    ]
