"""Whom a bearer token stands for, and how often he may come."""

from __future__ import annotations

import ipaddress
import math
from typing import Final

from starlette.requests import HTTPConnection

from coordinator.api.known_keys import Caller, KnownKeys
from coordinator.api.metrics import Metrics
from coordinator.api.problems import ApiError, refused, too_often
from coordinator.api.rate import RateLimit
from coordinator.api.tokens import Tokens, is_jwt
from coordinator.database.api_keys import PREFIX

_LONGEST: Final = 8192
"""Characters of a token; those of providers have some hundreds to a few thousands."""


class Identities:
    """Everybody who may use the API: by a key, or by a token of the identity provider's."""

    def __init__(
        self, *, keys: KnownKeys, tokens: Tokens | None, rate: RateLimit, metrics: Metrics
    ) -> None:
        """Nobody has come yet.

        Args:
            keys: The API keys.
            tokens: The provider's tokens; None where there is no provider.
            rate: How often each key, or each user of the provider's, may come.
            metrics: Counts who is refused.
        """
        self._keys = keys
        self._tokens = tokens
        self._rate = rate
        self._metrics = metrics

    async def caller_of(self, token: str, address: str = "") -> Caller:
        """Whom a token stands for; it counts as one request of his.

        Args:
            token: As it came, without the word Bearer.
            address: Where from, as far as is known.

        Raises:
            ApiError: It is not valid (401), he comes too often (429), or the identity provider
                cannot be asked (503).
            DatabaseError: PostgreSQL cannot say.
        """
        try:
            caller = await self._find(token, network_of(address))
        except ApiError as exc:
            self._metrics.refused_logins.labels(reason=exc.code).inc()
            raise
        wait_s = self._rate.take(caller.key_id or f"user {caller.user_id}")
        if wait_s > 0:
            self._metrics.rate_limited_requests.inc()
            raise too_often("You send requests too fast; wait a moment.", math.ceil(wait_s))
        return caller

    async def _find(self, token: str, network: str) -> Caller:
        if len(token) > _LONGEST:
            raise refused("The token is longer than any of ours.", code="invalid_token")
        if token.startswith(PREFIX):
            return await self._keys.find(token, network)
        if not is_jwt(token):
            raise refused("That is neither an API key nor a JWT.", code="invalid_token")
        if self._tokens is None:
            raise refused(
                "No identity provider is set up here: send an API key.", code="invalid_token"
            )
        return await self._tokens.caller_of(token)


def address_of(connection: HTTPConnection) -> str:
    """Where a request or a WebSocket comes from; empty where that is not known."""
    return connection.client.host if connection.client is not None else ""


def network_of(address: str) -> str:
    """What one client has for itself: an IPv4 address, or an IPv6 network (/64)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))
