"""Connections to PostgreSQL: a pool, transactions, and listening."""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, LiteralString, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from coordinator.database.queries import read_queries
from shared.errors import DatabaseError

Connection = AsyncConnection[DictRow]
Row = DictRow

_OPTIONS: Final = {
    # A server that is cut off is noticed in seconds on both sides, so that its lock is free for
    # the standby.
    "keepalives": 1,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "connect_timeout": 5,
    "options": (
        "-c timezone=UTC -c tcp_keepalives_idle=3 -c tcp_keepalives_interval=1 "
        "-c tcp_keepalives_count=3 -c statement_timeout=30s -c lock_timeout=10s "
        "-c idle_in_transaction_session_timeout=60s"
    ),
    "application_name": "midifarm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """How the connections of a pool stand."""

    in_use: int
    """Connections that somebody has."""
    idle: int
    """Connections that nobody has."""
    waiting: int
    """How many wait for one."""


class Database:
    """A pool of connections to one database; an async context manager."""

    def __init__(self, url: str, *, most: int = 10, answer_s: float = 10.0) -> None:
        """Prepare to connect.

        Args:
            url: Of the database.
            most: Connections at a time.
            answer_s: How long a connection is waited for.
        """
        self._url = url
        self._measured: Callable[[], AbstractContextManager[None]] = nullcontext
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            kwargs=_OPTIONS | {"row_factory": dict_row, "autocommit": True},
            min_size=1,
            max_size=most,
            timeout=answer_s,
            max_idle=60,
            reconnect_timeout=10,
            open=False,
            check=_see,
            name="midifarm",
        )

    def __repr__(self) -> str:
        return "Database(…)"  # the address may hold a password

    async def __aenter__(self) -> Database:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close(timeout=1.0)

    def measure(self, measured: Callable[[], AbstractContextManager[None]]) -> None:
        """Have every transaction measured from now on.

        Args:
            measured: Makes a context manager that is around a transaction.
        """
        self._measured = measured

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction, which is committed when the block ends.

        Raises:
            DatabaseError: PostgreSQL failed or cannot be reached.
        """
        with self._measured(), database_errors():
            async with self._pool.connection() as connection, connection.transaction():
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection for queries that change nothing, and need no transaction around them.

        Raises:
            DatabaseError: PostgreSQL failed or cannot be reached.
        """
        with self._measured(), database_errors():
            async with self._pool.connection() as connection:
                yield connection

    @asynccontextmanager
    async def lone_connection(self) -> AsyncIterator[Connection]:
        """A connection beside the pool, for what lasts: a lock, or listening.

        Raises:
            DatabaseError: PostgreSQL failed or cannot be reached.
        """
        with database_errors():
            connection = await AsyncConnection.connect(
                self._url, autocommit=True, row_factory=dict_row, **cast("Any", _OPTIONS)
            )
            async with connection:
                yield connection

    def pool(self) -> PoolState:
        """How its connections stand."""
        stats = self._pool.get_stats()
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        return PoolState(in_use=size - idle, idle=idle, waiting=stats.get("requests_waiting", 0))

    async def check(self) -> None:
        """See that PostgreSQL answers. Raises DatabaseError."""
        async with self.transaction() as connection:
            await connection.execute("select 1")


async def _see(connection: Connection) -> None:
    """See that a connection still works before somebody gets it.

    A server that has ended it has said so. To ask each time would cost as much as a query does.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what psycopg raises into DatabaseError; it never shows the address."""
    try:
        yield
    except PoolTimeout as exc:
        raise DatabaseError(
            "PostgreSQL cannot be reached. Is its address right, and does it run?"
        ) from exc
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        raise  # trying again does not help; what it means is known where the query was made
    except psycopg.Error as exc:
        state = f" ({exc.sqlstate})" if exc.sqlstate else ""
        reason = exc.diag.message_primary or type(exc).__name__
        raise DatabaseError(f"PostgreSQL failed{state}: {reason}.", sqlstate=exc.sqlstate) from exc


class Queries:
    """The queries of one ``.sql`` file, to be run on any connection."""

    def __init__(self, subject: str) -> None:
        """Read ``queries/subject.sql``."""
        self._queries = read_queries(subject)

    async def execute(self, connection: Connection, name: str, /, **values: Any) -> int:
        """Run a query; the number of rows that it changed."""
        cursor = await connection.execute(self._text(name), values)
        return cursor.rowcount

    async def one(self, connection: Connection, name: str, /, **values: Any) -> Row | None:
        """The first row of a query, or None."""
        cursor = await connection.execute(self._text(name), values)
        return await cursor.fetchone()

    async def all(
        self, connection: Connection, name: str, /, *, plan_anew: bool = False, **values: Any
    ) -> list[Row]:
        """Every row of a query.

        Args:
            connection: Where it is run.
            name: Which query.
            plan_anew: Whether PostgreSQL is to plan it for these very values each time, since
                they decide which index is right.
            values: Its parameters.
        """
        prepare = False if plan_anew else None
        cursor = await connection.execute(self._text(name), values, prepare=prepare)
        return await cursor.fetchall()

    def _text(self, name: str) -> LiteralString:
        # From a file of ours, never put together at run time.
        text: LiteralString = self._queries[name]
        return text
