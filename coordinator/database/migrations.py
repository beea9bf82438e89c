"""Bringing a database's tables up to date: numbered files, each applied once."""

from __future__ import annotations

from importlib import resources
from typing import Final, LiteralString, NamedTuple

from coordinator.database.connection import Connection, Database
from shared.errors import SchemaError

_LOCK: Final = 0x6D69_6469  # "midi": one migrating process at a time


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    """1, 2, 3, …; also the version of the schema after it."""
    name: str
    """What it is about."""
    sql: LiteralString
    """What is run."""


def read_migrations() -> list[Migration]:
    """The steps that this program knows, in their order."""
    files = resources.files("coordinator.database").joinpath("schema").iterdir()
    found = []
    for file in files:
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            found.append(Migration(int(number), name, file.read_text("utf-8")))
    found.sort()
    assert [step.number for step in found] == list(range(1, len(found) + 1))  # noqa: S101
    return found


async def migrate(database: Database) -> int:
    """Apply what is missing; the version of the schema afterwards.

    Raises:
        SchemaError: The schema is newer than this program.
        DatabaseError: PostgreSQL failed; nothing was changed.
    """
    migrations = read_migrations()
    async with database.transaction() as connection:
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        await connection.execute(
            "create table if not exists schema_migrations ("
            "number integer primary key, name text not null, "
            "applied_at timestamptz not null default now())"
        )
        version = await _version(connection)
        _refuse_newer(version, len(migrations))
        for step in migrations[version:]:
            await connection.execute(step.sql)
            await connection.execute(
                "insert into schema_migrations (number, name) values (%s, %s)",
                (step.number, step.name),
            )
    return len(migrations)


async def check_schema(database: Database) -> None:
    """See that the schema is this program's.

    Raises:
        SchemaError: It is older or newer; the message says what to do.
    """
    known = len(read_migrations())
    async with database.transaction() as connection:
        row = await (
            await connection.execute("select to_regclass('schema_migrations') as found")
        ).fetchone()
        version = await _version(connection) if row and row["found"] else 0
    _refuse_newer(version, known)
    if version < known:
        raise SchemaError(
            f"The database has schema {version}, this program needs {known}. "
            "Start `midifarm serve` or `midifarm dispatch` of this version once; it migrates.",
            version=version,
        )


async def _version(connection: Connection) -> int:
    cursor = await connection.execute(
        "select coalesce(max(number), 0) as version from schema_migrations"
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  # an aggregate has one row
    return int(row["version"])


def _refuse_newer(version: int, known: int) -> None:
    if version > known:
        raise SchemaError(
            f"The database has schema {version}, this program knows {known}: a newer midifarm "
            "has been here. Update this one, or restore a backup made before.",
            version=version,
            newer=True,
        )
