"""Who leads: the one that holds an advisory lock of PostgreSQL, as long as its connection lasts.

The lock is free the moment the leader's process dies, and some seconds after its machine is cut
off; a standby asks for it twice a second. Each leadership has a number of its own, the epoch: who
still believes to lead, but does not, can begin nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from coordinator.database import Connection, Database
from coordinator.database.connection import Queries, database_errors
from shared.errors import DatabaseError

_LOCK: Final = 0x6D69_6466  # "midf"
_ASK_S: Final = 0.5
_QUERIES: Final = Queries("leadership")


class Leadership:
    """One term of leading."""

    def __init__(self, connection: Connection, epoch: int) -> None:
        """Made by leadership()."""
        self._connection = connection
        self.epoch = epoch

    async def confirm(self, slots: int, quota_running: int | None) -> None:
        """Tell that the leader is alive, and see that it still leads.

        Args:
            slots: How many work items run at a time.
            quota_running: How many of one user, where nothing was said for him; None: any number.

        Raises:
            DatabaseError: It does not.
        """
        with database_errors():
            if not await _QUERIES.one(
                self._connection,
                "heartbeat",
                epoch=self.epoch,
                slots=slots,
                quota_running=quota_running,
            ):
                raise DatabaseError("Another dispatcher leads.")

    async def resign(self) -> None:
        """Tell that nobody leads now; the lock goes with the connection."""
        with suppress(DatabaseError), database_errors():
            await _QUERIES.execute(self._connection, "resign", epoch=self.epoch)


@asynccontextmanager
async def leadership(
    database: Database, stop: asyncio.Event, on_other: Callable[[int], Awaitable[None]]
) -> AsyncIterator[Leadership | None]:
    """Wait until this process leads; None where it was told to stop before.

    Args:
        database: Where the lock is.
        stop: Set when this process is to stop.
        on_other: Told the epoch of whoever leads, again and again while this process waits.

    Raises:
        DatabaseError: PostgreSQL failed.
    """
    async with database.lone_connection() as connection:
        while not stop.is_set():
            row = await _QUERIES.one(connection, "try_lock", lock=_LOCK)
            if row and row["had"]:
                break
            other = await _QUERIES.one(connection, "current_epoch")
            if other is not None:
                await on_other(int(other["epoch"]))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _ASK_S)
        else:
            yield None
            return
        name = f"{socket.gethostname()} {os.getpid()}"
        row = await _QUERIES.one(connection, "begin_epoch", name=name)
        assert row is not None  # noqa: S101  # the table has one row
        term = Leadership(connection, int(row["epoch"]))
        try:
            yield term
        finally:
            await term.resign()
