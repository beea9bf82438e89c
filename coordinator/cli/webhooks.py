"""``midifarm webhooks``: being told how exports and batches end."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell, id_column
from coordinator.client import Delivery, Webhook
from coordinator.deliveries import DeliveryStatus, WebhookEvent
from coordinator.settings import ClientSettings

webhooks = typer.Typer(
    help="Be told how exports and batches end.", no_args_is_help=True, add_completion=False
)

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]


@webhooks.command()
@with_settings(ClientSettings)
def add(
    settings: ClientSettings,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to send it.")],
    name: Annotated[str | None, typer.Option(help="Its name; its host if not given.")] = None,
    event: Annotated[
        list[WebhookEvent] | None,
        typer.Option(help="What it is told of, once for each; everything if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook; its secret, which deliveries are signed with, is printed this once."""
    with open_client(settings) as client:
        made = client.create_webhook(address, name=name, events=[*map(str, event or ())])
    _tell_secret(made, as_json=as_json)


@webhooks.command("list")
@with_settings(ClientSettings)
def list_webhooks(
    settings: ClientSettings,
    of_exports: Annotated[
        bool, typer.Option("--of-exports", help="Those that exports name themselves instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List your webhooks, newest first."""
    with open_client(settings) as client:
        found = client.webhooks(of_exports=of_exports)
    if as_json:
        print_json({"webhooks": [_plain(each) for each in found]})
        return
    table = Table(id_column(), "name", "events", "", Column("url", overflow="fold"), box=None)
    for each in found:
        events = ", ".join(each.events) or "all"
        state = "" if each.is_enabled else "disabled"
        table.add_row(each.id, cell(each.name), events, state, cell(each.url))
    Console().print(table)


@webhooks.command()
@with_settings(ClientSettings)
def show(settings: ClientSettings, webhook_id: WebhookId) -> None:
    """Print a webhook as JSON."""
    with open_client(settings) as client:
        found = client.webhook(webhook_id)
    sys.stdout.write(json.dumps(_plain(found), indent=2) + "\n")


@webhooks.command()
@with_settings(ClientSettings)
def enable(settings: ClientSettings, webhook_id: WebhookId) -> None:
    """Have a webhook told again of what happens from now on."""
    with open_client(settings) as client:
        client.change_webhook(webhook_id, is_enabled=True)
    typer.echo(f"{webhook_id} is enabled.")


@webhooks.command()
@with_settings(ClientSettings)
def disable(settings: ClientSettings, webhook_id: WebhookId) -> None:
    """Have a webhook told nothing more; what waits for it is cancelled."""
    with open_client(settings) as client:
        client.change_webhook(webhook_id, is_enabled=False)
    typer.echo(f"{webhook_id} is disabled.")


@webhooks.command()
@with_settings(ClientSettings)
def rotate(settings: ClientSettings, webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """Give a webhook a new secret, printed this once; the old one signs beside it for a day."""
    with open_client(settings) as client:
        rotated = client.rotate_webhook(webhook_id)
    _tell_secret(rotated, as_json=as_json)


@webhooks.command()
@with_settings(ClientSettings)
def remove(settings: ClientSettings, webhook_id: WebhookId) -> None:
    """Remove a webhook and its delivery log."""
    with open_client(settings) as client:
        client.delete_webhook(webhook_id)
    typer.echo(f"{webhook_id} is removed.")


@webhooks.command("test")
@with_settings(ClientSettings)
def ping(settings: ClientSettings, webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """Have a webhook told a ping; `deliveries` says what came of it."""
    with open_client(settings) as client:
        queued = client.test_webhook(webhook_id)
    _tell_queued(queued, as_json=as_json)


@webhooks.command()
@with_settings(ClientSettings)
def deliveries(
    settings: ClientSettings,
    webhook_id: WebhookId,
    failed: Annotated[bool, typer.Option("--failed", help="Those alone that were given up.")] = (
        False
    ),
    export: Annotated[
        str | None, typer.Option(metavar="ID", help="Those alone about an export.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="How many of the newest to leave out.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show what a webhook was told, and is to be told, newest first."""
    status = str(DeliveryStatus.FAILED) if failed else None
    with open_client(settings) as client:
        page = client.deliveries(
            webhook_id, status=status, export_id=export, limit=limit, offset=offset
        )
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    event, state = Column("event", no_wrap=True), Column("status", no_wrap=True)
    table = Table(id_column(), event, state, "tries", Column("answer", overflow="fold"), box=None)
    for each in page.deliveries:
        table.add_row(each.id, each.event, each.status, str(len(each.tries)), cell(_answer(each)))
    console = Console()
    console.print(table)
    if page.has_more:
        console.print(f"There are older ones: --offset {offset + limit}", highlight=False)


@webhooks.command()
@with_settings(ClientSettings)
def redeliver(
    settings: ClientSettings,
    webhook_id: WebhookId,
    delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id.")],
    as_json: AsJson = False,
) -> None:
    """Try a delivery again from the beginning, whatever became of it."""
    with open_client(settings) as client:
        queued = client.redeliver(webhook_id, delivery_id)
    _tell_queued(queued, as_json=as_json)


def _answer(delivery: Delivery) -> str:
    """What came of the last try."""
    if not delivery.tries:
        return ""
    last = delivery.tries[-1]
    return last.error or str(last.http_status)


def _tell_secret(made: Webhook, *, as_json: bool) -> None:
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    typer.echo(made.id)
    if made.secret is None:
        typer.echo("Its secret was told before; `webhooks rotate` gives it a new one.", err=True)
    else:
        typer.echo(made.secret)


def _tell_queued(queued: Delivery, *, as_json: bool) -> None:
    if as_json:
        print_json(queued.model_dump(mode="json"))
    else:
        typer.echo(queued.id)


def _plain(webhook: Webhook) -> dict[str, Any]:
    return webhook.model_dump(mode="json", exclude={"secret"})
