"""Looking up links that anybody may follow, and holding up who guesses them."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final

from coordinator.api.identities import network_of
from coordinator.api.problems import too_often
from coordinator.api.rate import RateLimit
from coordinator.database import Database, Row, links
from coordinator.database.api_keys import token_hash
from shared.errors import NotFoundError

_MOST: Final = 10_000


class KnownLinks:
    """The links that were followed through this process.

    What a link leads to is asked for each time, so one that is revoked ends at once. Whether it
    was ever one is remembered: who follows it is not held up by those who guess behind the same
    proxy.
    """

    def __init__(self, database: Database, strangers: RateLimit) -> None:
        """Nothing is known yet.

        Args:
            database: Knows all links.
            strangers: How often a client's address may have tokens looked up that never were
                valid, as far as is remembered; those of keys count beside those of links.
        """
        self._database = database
        self._strangers = strangers
        self._known: OrderedDict[bytes, None] = OrderedDict()

    async def find(self, token: str, address: str) -> Row:
        """The export that a link leads to, and how many seconds it does so yet (``left_s``).

        Args:
            token: As it came.
            address: Where from, as far as is known.

        Raises:
            NotFoundError: It leads nowhere, or not any more.
            ApiError: Too many tokens from there led nowhere (429).
            DatabaseError: PostgreSQL cannot say.
        """
        hashed, network = token_hash(token), network_of(address)
        is_stranger = hashed not in self._known
        if is_stranger and (wait_s := self._strangers.take(network)) > 0:
            raise too_often(
                "Too many links that lead nowhere were followed from your address; wait a moment.",
                math.ceil(wait_s),
            )
        async with self._database.reading() as connection:
            row = await links.find_link(connection, hashed)
        if row is None:
            self._known.pop(hashed, None)
            raise _nowhere()
        if is_stranger:
            self._strangers.give_back(network)
        self._remember(hashed)
        if row["left_s"] <= 0:
            raise _nowhere()
        return row

    def _remember(self, hashed: bytes) -> None:
        self._known[hashed] = None
        self._known.move_to_end(hashed)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _nowhere() -> NotFoundError:
    return NotFoundError(
        "This link leads nowhere: it was revoked, has expired, or never was one. Ask whoever sent "
        "it for another."
    )
