"""Looking up API keys, with a short memory.

Streams, uploads and polling clients show the same few keys all the time. A valid key is
remembered for seconds, so a revoked one stops working within seconds in every process.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from coordinator.api.problems import ApiError, refused, too_often
from coordinator.api.rate import RateLimit
from coordinator.database import Database, api_keys
from coordinator.scopes import Scope

T = TypeVar("T")

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a request."""

    user_id: str
    """As which user."""
    key_id: str | None
    """With which key; None with a token of the identity provider's."""
    scope: Scope
    """What may be done."""
    expires_at: datetime | None = None
    """Until when; None: for as long as the key is not revoked."""

    def may(self, scope: Scope) -> bool:
        """Whether what a scope stands for may be done."""
        return self.scope.covers(scope)


class KnownKeys:
    """The keys that were found valid a moment ago, and the tokens that were found to be none."""

    def __init__(self, database: Database, valid_s: float, strangers: RateLimit) -> None:
        """Nothing is known yet.

        Args:
            database: Knows all keys.
            valid_s: How long what it said is remembered.
            strangers: How often a client's address may have tokens looked up that never were
                valid, as far as is remembered. Who guesses cannot keep the database busy; who has
                shown a valid key before is not held up by those behind the same address.
        """
        self._database = database
        self._valid_s = valid_s
        self._strangers = strangers
        self._callers: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Caller]] = {}

    async def find(self, token: str, address: str) -> Caller:
        """Who a token belongs to.

        Raises:
            ApiError: Nobody (401), or too many tokens from there belong to nobody (429).
            DatabaseError: PostgreSQL cannot say.
        """
        now = time.monotonic()
        hashed = api_keys.token_hash(token)
        until_s, caller = self._callers.get(hashed, (0.0, None))
        if caller is not None and now < until_s:
            return caller
        if now < self._unknown.get(hashed, 0.0):
            raise _unknown()
        asking = self._asking.get(hashed)
        if asking is None:
            asking = self._ask(token, hashed, None if caller is not None else address)
        # One who goes away must not take the answer from the others.
        return await asyncio.shield(asking)

    def _ask(self, token: str, hashed: bytes, address: str | None) -> asyncio.Task[Caller]:
        """Look a token up, for all who show it at this moment.

        Args:
            token: The token.
            hashed: Its hash.
            address: Where it comes from first, if it was never valid; else None.
        """
        wait_s = 0.0 if address is None else self._strangers.take(address)
        if wait_s > 0:
            raise too_often(
                "Too many tokens that are not valid came from your address; wait a moment.",
                math.ceil(wait_s),
            )

        async def look_up() -> Caller:
            caller = await self._look_up(token, hashed)
            if address is not None:
                self._strangers.give_back(address)
            return caller

        def forget(done: asyncio.Task[Caller]) -> None:
            del self._asking[hashed]
            if not done.cancelled():
                done.exception()  # told to whoever still waits, and to nobody else

        asking = self._asking[hashed] = asyncio.create_task(look_up())
        asking.add_done_callback(forget)
        return asking

    async def _look_up(self, token: str, hashed: bytes) -> Caller:
        async with self._database.transaction() as connection:
            row = await api_keys.find_key(connection, token)
            if row is not None and not row["is_expired"]:
                await api_keys.note_use(connection, row["id"])
        now = time.monotonic()
        if row is None or row["is_expired"]:
            self._callers.pop(hashed, None)
            if row is not None:
                raise refused("The API key has expired; make a new one.", code="expired_token")
            _remember(self._unknown, hashed, now + self._valid_s)
            raise _unknown()
        caller = Caller(
            user_id=row["user_id"],
            key_id=row["id"],
            scope=Scope(row["scope"]),
            expires_at=row["expires_at"],
        )
        valid_s = min(self._valid_s, math.inf if row["left_s"] is None else row["left_s"])
        _remember(self._callers, hashed, (now + valid_s, caller))
        return caller

    def forget(self, key_id: str) -> None:
        """Forget a key that was revoked here."""
        for hashed, (_, caller) in list(self._callers.items()):
            if caller.key_id == key_id:
                del self._callers[hashed]


def _remember(known: OrderedDict[bytes, T], hashed: bytes, what: T) -> None:
    known[hashed] = what
    known.move_to_end(hashed)
    while len(known) > _MOST:
        known.popitem(last=False)


def _unknown() -> ApiError:
    return refused(
        "There is no such API key, or it was revoked. Ask your administrator for a new one.",
        code="invalid_token",
    )
