"""``midifarm farm``: seeing and holding the farm, for operators."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from coordinator.cli.nodes import ID_SHOWN, nodes_table, pools_table
from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell
from coordinator.cli.use import farm_use
from coordinator.cli.watching import tell_end
from coordinator.client import Client, FarmNode, FarmView, UserUse
from coordinator.settings import ClientSettings
from shared.errors import InputError

farm = typer.Typer(
    help="See and hold the farm; for operators.", no_args_is_help=True, add_completion=False
)

farm.command("use")(farm_use)

ExportId = Annotated[
    str | None, typer.Argument(metavar="[EXPORT]", help="One export; the whole farm without it.")
]
NodeName = Annotated[
    str, typer.Argument(metavar="NODE", help="Its name, its id, or how the id begins.")
]

_GIB: Final = 2**30


@farm.command()
@with_settings(ClientSettings)
def status(settings: ClientSettings, as_json: AsJson = False) -> None:
    """Show nodes, slots, what runs where and what waits."""
    with open_client(settings) as client:
        found = client.farm()
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found)


@farm.command()
@with_settings(ClientSettings)
def nodes(settings: ClientSettings, as_json: AsJson = False) -> None:
    """Show the nodes: their slots, their pools, what draws on them, and whether they take work."""
    with open_client(settings) as client:
        found = client.farm().nodes
    if as_json:
        print_json({"nodes": [node.model_dump(mode="json") for node in found]})
    else:
        Console(highlight=False).print(nodes_table(found))


@farm.command()
@with_settings(ClientSettings)
def pools(settings: ClientSettings, as_json: AsJson = False) -> None:
    """Show the pools: who serves them, and what waits and runs in each."""
    with open_client(settings) as client:
        found = client.farm_pools()
    if as_json:
        print_json({"pools": [pool.model_dump(mode="json") for pool in found]})
    else:
        Console(highlight=False).print(pools_table(found))


@farm.command()
@with_settings(ClientSettings)
def pause(
    settings: ClientSettings,
    export_id: ExportId = None,
    reason: Annotated[
        str | None, typer.Option(help="Why the farm is paused; shown to everybody who asks.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing more begin, or nothing more of one export; what runs is finished."""
    with open_client(settings) as client:
        if export_id is None:
            _tell_farm(client.pause_farm(reason), as_json=as_json)
        elif reason is not None:
            raise InputError("--reason is for the whole farm; owners are told who paused it.")
        else:
            export = client.pause_export(export_id)
            _tell(export, f"{tell_end(export)}: paused", as_json=as_json)


@farm.command()
@with_settings(ClientSettings)
def resume(settings: ClientSettings, export_id: ExportId = None, as_json: AsJson = False) -> None:
    """Let work begin again, or that of one export."""
    with open_client(settings) as client:
        if export_id is None:
            _tell_farm(client.resume_farm(), as_json=as_json)
        else:
            export = client.resume_export(export_id)
            _tell(export, f"{tell_end(export)}: resumed", as_json=as_json)


@farm.command()
@with_settings(ClientSettings)
def drain(settings: ClientSettings, node: NodeName, as_json: AsJson = False) -> None:
    """Give a node nothing more; what it has begun it finishes."""
    with open_client(settings) as client:
        found = client.drain(_find(client.farm().nodes, node).id)
    left = f"it is still at {found.running}" if found.running else "it is empty"
    _tell(found, f"{found.name} ({found.id[:ID_SHOWN]}) drains; {left}.", as_json=as_json)


@farm.command()
@with_settings(ClientSettings)
def undrain(settings: ClientSettings, node: NodeName, as_json: AsJson = False) -> None:
    """Give a node work again."""
    with open_client(settings) as client:
        found = client.undrain(_find(client.farm().nodes, node).id)
    _tell(found, f"{found.name} ({found.id[:ID_SHOWN]}) takes work.", as_json=as_json)


@farm.command()
@with_settings(ClientSettings)
def quota(
    settings: ClientSettings,
    user: Annotated[
        str | None, typer.Argument(metavar="[USER]", help="Who; all quotas without it.")
    ] = None,
    running: Annotated[
        int | None, typer.Option(min=0, help="Work items under way at a time.")
    ] = None,
    queued: Annotated[
        int | None, typer.Option(min=0, help="Exports that have not ended, at a time.")
    ] = None,
    stored_gib: Annotated[
        float | None, typer.Option(min=0, help="GiB of uploads and finished videos.")
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Let the settings apply to the user again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what users have and may have, or say it: what is not named is as the settings say."""
    given = (running, queued, stored_gib) != (None, None, None)
    if user is None and (given or drop):
        raise InputError("Name the user whose quota it is: midifarm farm quota USER ….")
    if given and drop:
        raise InputError("Either say what the user may have, or --drop it.")
    with open_client(settings) as client:
        if user is None:
            _show_quotas(client, as_json=as_json)
            return
        if drop:
            client.drop_quota(user)
        elif given:
            stored_bytes = None if stored_gib is None else int(stored_gib * _GIB)
            client.set_quota(user, running=running, queued=queued, stored_bytes=stored_bytes)
        found = client.user_use(user)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _show_use(found)


@farm.command()
@with_settings(ClientSettings)
def audit(
    settings: ClientSettings,
    target: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only what was done to this export, node, user or key."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what operators and admins did, newest first."""
    with open_client(settings) as client:
        found = client.audit(target=target, most=limit)
    if as_json:
        entries = [each.model_dump(mode="json") for each in found]
        print_json({"entries": entries})
        return
    table = Table("when", "who", "what", "to what", "", box=None)
    for each in found:
        at = f"{each.at:%Y-%m-%d %H:%M:%S}" if each.at else ""
        detail = ", ".join(f"{name}={value}" for name, value in each.detail.items())
        table.add_row(at, cell(each.user_id), each.action, cell(each.target or ""), cell(detail))
    Console().print(table)


@farm.command()
@with_settings(ClientSettings)
def log(
    settings: ClientSettings,
    attempt: Annotated[str, typer.Argument(metavar="ATTEMPT", help="Its number, as a17 or 17.")],
    as_json: AsJson = False,
) -> None:
    """Print what was said in an attempt that has ended."""
    number = attempt.removeprefix("a")
    if not number.isdecimal():
        raise InputError(f"{attempt} is no attempt; give its number, as `exports attempts` has it.")
    with open_client(settings) as client:
        text, is_whole = client.attempt_log(int(number), as_json=as_json)
    if not is_whole:
        told = "Its worker could keep no log: its process was ended. These are its last words."
        Console(stderr=True).print(told)
    sys.stdout.write(text)


def _find(nodes: Sequence[FarmNode], named: str) -> FarmNode:
    """The node of a name, an id, or the beginning of one.

    Raises:
        InputError: There is none, or more than one.
    """
    found = [node for node in nodes if named in (node.id, node.name)]
    found = found or [node for node in nodes if named and node.id.startswith(named)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{node.name} ({node.id[:ID_SHOWN]})" for node in found or nodes)
    if found:
        raise InputError(f"{named} may be one of {known}; give more of its id.")
    raise InputError(f"There is no node {named}. The farm has {known or 'none'}.")


def _show(found: FarmView) -> None:
    console = Console(highlight=False)
    console.print(_headline(found), markup=False)
    names = {node.id: node.name for node in found.nodes}
    running = Table("what", "of", "user", "node", "frames", "for", box=None)
    for each in found.running:
        what = each.kind if each.chunk_index is None else f"{each.kind} {each.chunk_index}"
        node_name = names.get(each.node or "", "waits for a worker")
        ago = _ago(each.started_at)
        of = cell(each.export_name or "")
        running.add_row(what, of, cell(each.user_id), cell(node_name), str(each.frames), ago)
    queue = Table("user", "queued", "rendering", "ready", "held", "running", "priority", box=None)
    for user in found.queue:
        counts = (user.exports_queued, user.exports_rendering, user.ready, user.held, user.running)
        priority = "" if user.priority is None else str(user.priority)
        queue.add_row(cell(user.user_id), *map(str, counts), priority)
    for table in (nodes_table(found.nodes), running, queue):
        if table.row_count:
            console.print()
            console.print(table)


def _headline(found: FarmView) -> str:
    led = f"{found.leader} leads" if found.leader else "No dispatcher is at work"
    if found.leader and found.silent_s is not None and found.silent_s > 2:
        led += f", silent for {found.silent_s:.0f} s"
    line = f"{led}; {found.slots} slots."
    if found.paused is None:
        return line
    why = f": {found.paused.reason}" if found.paused.reason else ""
    since = f"{found.paused.since:%Y-%m-%d %H:%M} UTC"
    return f"{line}\nPaused since {since} by {found.paused.by}{why}"


def _ago(at: datetime | None) -> str:
    if at is None:
        return ""
    return f"{max(0.0, (datetime.now(UTC) - at).total_seconds()):.0f} s"


def _show_quotas(client: Client, *, as_json: bool) -> None:
    found = client.quotas()
    if as_json:
        sys.stdout.write(
            json.dumps({"quotas": [each.model_dump(mode="json") for each in found]}) + "\n"
        )
        return
    table = Table("user", "running", "queued", "stored", box=None)
    for each in found:
        table.add_row(cell(each.user_id), *_limits(each.running, each.queued, each.stored_bytes))
    Console().print(table)


def _show_use(found: UserUse) -> None:
    stored_bytes = found.asset_bytes + found.video_bytes
    unfinished = found.exports_queued + found.exports_rendering + found.exports_uploading
    limits = found.quota
    table = Table(cell(found.user_id), "has", "may have", box=None)
    for name, has, may in zip(
        ("work items under way", "exports that have not ended", "stored"),
        (str(found.running), str(unfinished), f"{stored_bytes / _GIB:.2f} GiB"),
        _limits(limits.running, limits.queued, limits.stored_bytes),
        strict=True,
    ):
        table.add_row(name, has, may or "any")
    Console().print(table)


def _limits(running: int | None, queued: int | None, stored_bytes: int | None) -> list[str]:
    """What may be had, in words; empty where nothing was said."""
    stored = "" if stored_bytes is None else f"{stored_bytes / _GIB:.2f} GiB"
    return [*("" if each is None else str(each) for each in (running, queued)), stored]


def _tell_farm(found: FarmView, *, as_json: bool) -> None:
    _tell(found, _headline(found), as_json=as_json)


def _tell(found: BaseModel, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        Console(soft_wrap=True, highlight=False).print(sentence, markup=False)
