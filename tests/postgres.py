"""PostgreSQL servers for tests: the one that midifarm brings, and Debian's as a second opinion."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, Self

import psycopg
from psycopg import sql

from coordinator.database import Database
from coordinator.database.migrations import migrate
from coordinator.postgres import EmbeddedPostgres, embedded_binaries

Server = Literal["embedded", "debian"]
SERVERS: tuple[Server, ...] = ("embedded", "debian")


def binaries(server: Server) -> Path | None:
    """The programs of a server: of Debian's the newest; None where they are not installed."""
    if server == "embedded":
        return embedded_binaries()
    found = {
        int(path.parts[-3]): path for path in Path("/").glob("usr/lib/postgresql/*/bin/initdb")
    }
    return found[max(found)].parent if found else None


class PostgresServers:
    """Servers that are started when they are first asked for, and run until the end."""

    def __init__(self) -> None:
        """Prepare."""
        self._urls: dict[Server, str] = {}
        self._with_migrated: set[Server] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def url(self, server: Server) -> str:
        """Where to connect to as superuser, to a database that tests leave as it is."""
        if server not in self._urls:
            # pytest's own folders are closed to nobody, as whom the server of root may run.
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mf-pg-")))
            folder.chmod(0o711)
            started = EmbeddedPostgres(folder / "postgres", binaries(server))
            self._urls[server] = self._stack.enter_context(started).url
        return self._urls[server]

    @contextmanager
    def fresh_database(self, server: Server, *, is_migrated: bool = False) -> Iterator[str]:
        """The URL of a database, which is dropped at the end, whoever still uses it.

        Args:
            server: Where it is.
            is_migrated: Whether our tables are in it, as a copy, which is quicker than to make
                them; else it is empty.
        """
        url = self.url(server)
        name = f"test_{uuid.uuid4().hex}"
        template = self._migrated(server) if is_migrated else "template1"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        try:
            yield _named(url, name)
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                )

    def _migrated(self, server: Server) -> str:
        """The name of a database with our tables, which nobody connects to."""
        name = "migrated"
        if server not in self._with_migrated:
            url = self.url(server)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            asyncio.run(_migrate(_named(url, name)))
            self._with_migrated.add(server)
        return name


def _named(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return url.replace("@/postgres?", f"@/{name}?")


async def _migrate(url: str) -> None:
    async with Database(url) as database:
        await migrate(database)
