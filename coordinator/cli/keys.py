"""``midifarm keys``: who may use a service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell, id_column
from coordinator.client import Key
from coordinator.database import Connection, Database, Row
from coordinator.database.api_keys import create_key, list_keys, revoke_key
from coordinator.database.migrations import migrate
from coordinator.scopes import Scope
from coordinator.serve.database import check_server
from coordinator.settings import KeySettings

keys = typer.Typer(
    help="Make, list and revoke API keys.", no_args_is_help=True, add_completion=False
)

T = TypeVar("T")

_PAGE = 100


@keys.command()
@with_settings(KeySettings)
def create(
    settings: KeySettings,
    user: Annotated[str, typer.Option(metavar="NAME", help="Who will use the service with it.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "made by midifarm keys create",
    scope: Annotated[
        Scope,
        typer.Option(
            help="What may be done with it: operators see and hold the farm, "
            "admins also make keys for other users."
        ),
    ] = Scope.USER,
    expires_days: Annotated[
        float | None,
        typer.Option(
            metavar="DAYS", min=0.0, max=36_500.0, help="Let it stop working after so many days."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; its token is printed this once, and stored nowhere."""
    until = None if expires_days is None else datetime.now(UTC) + timedelta(days=expires_days)
    if settings.database_url is None:
        with open_client(settings) as client:
            made = client.create_key(user, name=name, scope=scope, expires_at=until)
    else:

        async def insert(connection: Connection) -> Key:
            token, row = await create_key(
                connection, user_id=user, name=name, scope=scope, expires_at=until
            )
            return Key(token=token, **_facts(row))

        made = _in_database(settings, insert)
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        typer.echo(made.token)


@keys.command("list")
@with_settings(KeySettings)
def list_all(
    settings: KeySettings,
    everybody: Annotated[
        bool, typer.Option("--all", help="Those of every user, not only your own; for admins.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List keys, newest first; never their tokens. Straight in the database: everybody's."""
    if settings.database_url is None:
        with open_client(settings) as client:
            found = client.keys(everybody=everybody)
    else:

        async def select(connection: Connection) -> tuple[Key, ...]:
            rows: list[Row] = []
            while page := await list_keys(connection, None, limit=_PAGE, offset=len(rows)):
                rows += page
            return tuple(Key(**_facts(row)) for row in rows)

        found = _in_database(settings, select)
    if as_json:
        print_json({"keys": [key.model_dump(mode="json", exclude={"token"}) for key in found]})
        return
    table = Table(id_column(), "user", "name", "scope", "last used", "expires", "revoked", box=None)
    for key in found:
        used, expires, revoked = map(_day, (key.last_used_at, key.expires_at, key.revoked_at))
        table.add_row(
            key.id, cell(key.user_id), cell(key.name), key.scope, used or "never", expires, revoked
        )
    Console().print(table)


@keys.command()
@with_settings(KeySettings)
def revoke(
    settings: KeySettings,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
) -> None:
    """Make a key void; a second time does no harm."""
    if settings.database_url is None:
        with open_client(settings) as client:
            client.revoke_key(key_id)
    else:

        async def update(connection: Connection) -> None:
            await revoke_key(connection, None, key_id)

        _in_database(settings, update)
    typer.echo(f"{key_id} is revoked.")


def _in_database(settings: KeySettings, change: Callable[[Connection], Awaitable[T]]) -> T:
    assert settings.database_url is not None  # noqa: S101  # asked before
    url = settings.database_url.get_secret_value()
    check_server(url)

    async def run() -> T:
        async with Database(url, most=2) as database:
            await migrate(database)
            async with database.transaction() as connection:
                return await change(connection)

    return asyncio.run(run())


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at is not None else ""


def _facts(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Key.model_fields if name in row}
