"""Looking up API keys, with a short memory.

Streams, uploads and polling clients show the same few keys all the time. A valid key is
remembered for seconds, so a revoked one stops working within seconds in every process.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from coordinator.database import Database, api_keys

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a request."""

    user_id: str
    """As which user."""
    key_id: str
    """With which key."""
    is_admin: bool
    """Whether keys of other users may be made and revoked."""


class KnownKeys:
    """The keys that were found valid a moment ago."""

    def __init__(self, database: Database, valid_s: float) -> None:
        """Remember what ``database`` says for ``valid_s`` seconds."""
        self._database = database
        self._valid_s = valid_s
        self._callers: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def find(self, token: str) -> Caller | None:
        """Who a token belongs to; None for nobody.

        Raises:
            DatabaseError: PostgreSQL cannot say.
        """
        if not token.startswith(api_keys.PREFIX):
            return None
        hashed = api_keys.token_hash(token)
        until_s, caller = self._callers.get(hashed, (0.0, None))
        if caller is not None and time.monotonic() < until_s:
            return caller
        self._callers.pop(hashed, None)
        async with self._database.transaction() as connection:
            row = await api_keys.find_key(connection, token)
            if row is None:
                return None
            await api_keys.note_use(connection, row["id"])
        caller = Caller(user_id=row["user_id"], key_id=row["id"], is_admin=row["is_admin"])
        self._callers[hashed] = (time.monotonic() + self._valid_s, caller)
        while len(self._callers) > _MOST:
            self._callers.popitem(last=False)
        return caller

    def forget(self, key_id: str) -> None:
        """Forget a key that was revoked here."""
        for hashed, (_, caller) in list(self._callers.items()):
            if caller.key_id == key_id:
                del self._callers[hashed]
