"""A real database in which it is as late as a virtual clock says.

A function of our own, in a schema that comes before PostgreSQL's own, stands for ``now()``: in
queries, defaults, triggers and functions, all of which are the program's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import psycopg

from coordinator.database import Connection, Database
from tests.simulation.clock import BEGINNING, VirtualClock

_PREPARE: Final = """
create schema sim;
create function sim.now() returns timestamptz language sql stable parallel safe
    as $$ select coalesce(nullif(pg_catalog.current_setting('sim.now', true), '')::timestamptz,
        pg_catalog.now()) $$;
do $$ begin
    execute format('alter database %I set search_path = sim, public, pg_catalog',
        current_database());
    -- How fast the disk is has no part in virtual time.
    execute format('alter database %I set synchronous_commit = off', current_database());
end $$
"""


def prepare(url: str) -> None:
    """Make an empty database one in which time is virtual; before there are tables in it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_PREPARE)


class VirtualDatabase(Database):
    """A Database whose transactions happen when the clock says."""

    def __init__(self, url: str, clock: VirtualClock) -> None:
        """Prepare to connect to a database that is prepared."""
        super().__init__(url)
        self._clock = clock
        self._told_s: dict[int, float] = {}
        self.commits = 0
        """Transactions so far."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        try:
            async with super().transaction() as connection:
                await self._tell(connection)
                yield connection
        except BaseException:
            self._told_s.clear()  # what was told is rolled back with the rest
            raise
        self.commits += 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        async with super().reading() as connection:
            await self._tell(connection)
            yield connection

    async def _tell(self, connection: Connection) -> None:
        """Tell a connection how late it is, where that has changed since."""
        now_s = self._clock.now_s()
        if self._told_s.get(connection.info.backend_pid) != now_s:
            at = BEGINNING + timedelta(seconds=now_s)
            await connection.execute("select set_config('sim.now', %s, false)", (at.isoformat(),))
            self._told_s[connection.info.backend_pid] = now_s
