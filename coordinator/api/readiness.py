"""Asking the parts that requests need how they stand."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from anyio import to_thread
from pydantic import BaseModel, Field

from coordinator.database import Database
from coordinator.database.migrations import check_schema
from coordinator.database.readiness import dispatcher_fault
from shared.errors import DatabaseError, MidifarmError, SchemaError
from shared.storage import ObjectStore

_PATIENCE_S: Final = 4.0
_REMEMBERED_S: Final = 1.0
"""Anybody may ask; the parts are not asked more often."""


class Part(BaseModel):
    """How one part stands."""

    ready: bool = Field(description="Whether it can be used.")
    reason: str | None = Field(default=None, description="What is wrong with it.")


class Readiness(BaseModel):
    """How the parts stand that requests need."""

    ready: bool = Field(description="Whether this process can serve requests.")
    parts: dict[str, Part] = Field(
        description="database and storage, which it needs; dispatcher, which renders."
    )


class ReadinessCheck:
    """Asks the parts, and remembers for a moment what they said."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        """Nothing is known yet."""
        self._database = database
        self._store = store
        self._lock = asyncio.Lock()
        self._known: Readiness | None = None
        self._until_s = 0.0

    async def ask(self) -> Readiness:
        """How the parts stand, or stood a second ago."""
        async with self._lock:
            if self._known is None or time.monotonic() >= self._until_s:
                (database, dispatcher), storage = await asyncio.gather(
                    _ask_database(self._database), _ask_storage(self._store)
                )
                self._known = Readiness(
                    ready=database.ready and storage.ready,
                    parts={"database": database, "storage": storage, "dispatcher": dispatcher},
                )
                self._until_s = time.monotonic() + _REMEMBERED_S
            return self._known


async def _ask_database(database: Database) -> tuple[Part, Part]:
    unknown = Part(ready=False, reason="Only the database knows, and it cannot be asked.")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await check_schema(database)
            async with database.transaction() as connection:
                fault = await dispatcher_fault(connection)
    except SchemaError as exc:
        return Part(ready=False, reason=exc.message), unknown
    except (DatabaseError, TimeoutError):
        return Part(ready=False, reason="PostgreSQL does not answer."), unknown
    return Part(ready=True), Part(ready=fault is None, reason=fault)


async def _ask_storage(store: ObjectStore) -> Part:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await to_thread.run_sync(store.check, abandon_on_cancel=True)
    except (MidifarmError, TimeoutError):
        return Part(ready=False, reason="The object store cannot be used; its log says why.")
    return Part(ready=True)
