"""What a supervisor does in the database: see that it is there, and make the first key."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final, LiteralString
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from coordinator.database.api_keys import create_key, find_key, new_token
from coordinator.database.connection import Database, database_errors
from coordinator.database.migrations import migrate
from coordinator.database.queries import read_queries
from coordinator.scopes import Scope
from shared.errors import InputError

LOCAL_USER: Final = "local"
"""As whom the token in the data folder uses the service."""

_UNCLEAR: Final = (
    "its address is not understood (write @ / : ? # in a password as %40 %2F %3A %3F %23)"
)
_CONNECT_S: Final = 5
_ALIVE_S: Final = 5.0
"""A dispatcher tells that it is alive once a second."""


def check_server(url: str) -> None:
    """See that a PostgreSQL server answers and lets us in.

    Raises:
        InputError: It does not; the message says why, and never holds the password.
    """
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_S):
            return
    except psycopg.Error as exc:
        raise InputError(
            f"The PostgreSQL server of --database-url or MIDIFARM_DATABASE_URL cannot be used: "
            f"{_reason(url, exc)}."
        ) from None


def prepare_database(url: str, token_file: Path) -> str:
    """Bring the tables up to date, and see that the local administrator's token is valid.

    Args:
        url: Of the database.
        token_file: Keeps the token; made where there is none, readable by its owner alone.

    Returns:
        The token.

    Raises:
        DatabaseError: PostgreSQL failed, or the database belongs to a newer midifarm.
        InputError: The file cannot be read or written.
    """
    return asyncio.run(_prepare(url, token_file))


async def _prepare(url: str, token_file: Path) -> str:
    async with Database(url, most=2) as database:
        await migrate(database)
        try:
            token = _read_token(token_file)
        except OSError as exc:
            raise InputError(f"{token_file} cannot be used: {exc.strerror}.") from exc
        async with database.transaction() as connection:
            if await find_key(connection, token) is None:
                # The database may be another one than at the last start.
                await create_key(
                    connection,
                    user_id=LOCAL_USER,
                    name=f"midifarm serve in {token_file.parent}",
                    scope=Scope.ADMIN,
                    token=token,
                )
        return token


def _read_token(path: Path) -> str:
    """The token in a file; a new one if there is none."""
    try:
        token = path.read_text("ascii").strip()
    except FileNotFoundError:
        token = ""
    if token:
        return token
    token = new_token()
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(token + "\n")
    unfinished.replace(path)
    return token


class LeaderWatch:
    """Asks which dispatcher leads; a context manager."""

    def __init__(self, url: str) -> None:
        """Connect. Raises DatabaseError."""
        with database_errors():
            self._connection: psycopg.Connection[dict[str, Any]] = psycopg.connect(
                url, autocommit=True, row_factory=dict_row, connect_timeout=_CONNECT_S
            )
        query: Any = read_queries("readiness")["dispatcher"]  # from a file of ours
        self._query: LiteralString = query

    def __enter__(self) -> LeaderWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def leader(self) -> str | None:
        """The host and the process number of the one that leads; None while nobody does.

        Raises:
            DatabaseError: PostgreSQL failed.
        """
        with database_errors():
            row = self._connection.execute(self._query).fetchone()
        if row is None or row["silent_s"] is None or row["silent_s"] > _ALIVE_S:
            return None
        leader: str | None = row["leader"]
        return leader


def _reason(url: str, exc: psycopg.Error) -> str:
    """What libpq says, unless it might repeat a part of the password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _UNCLEAR
    # With an @ behind the host, what we take for the host may be the password's first half.
    if "@" in url.partition(parts.netloc)[2] if parts.netloc else "@" in url:
        return _UNCLEAR
    try:
        read = conninfo_to_dict(url)
    except psycopg.Error:
        if _is_read(url.partition("?")[0]):
            return "its address has an option behind the ? that PostgreSQL does not know"
        return _UNCLEAR
    told = parse_qs(parts.query).get("password", [unquote(parts.password or "")])[-1]
    ports = str(read.get("port") or "0").split(",")
    understood = told == (read.get("password") or "") and all(map(str.isdecimal, ports))
    if not understood or "@" in str(read.get("host") or ""):
        return _UNCLEAR
    return _sentence(str(exc)) or type(exc).__name__


def _is_read(url: str) -> bool:
    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        return False
    return True


def _sentence(said: str) -> str:
    """What libpq says in several lines, without its questions, as the end of a sentence."""
    lines = [line.strip() for line in said.splitlines()]
    told = " ".join(line for line in lines if not line.endswith("?"))
    for noise in ("connection failed: ", "connection is bad: "):
        told = told.removeprefix(noise)
    return told.rstrip(".")
