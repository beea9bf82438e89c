"""The public keys of an identity provider: its JSON Web Key Set (RFC 7517).

They are fetched when they are first needed, and again when they are old or a token names one that
is not among them; never more often than every few seconds, whatever tokens arrive. While the
provider is away, the keys that are known go on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from coordinator.api.problems import ApiError

_log = logging.getLogger(__name__)

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

FRESH_S: Final = 600.0
AGAIN_S: Final = 10.0
_PATIENCE_S: Final = 5.0
_MOST_BYTES: Final = 256 * 1024
_RSA_BITS: Final = range(2048, 16_385)
"""RFC 7518, section 3.3: 2048 at least."""
_ALGORITHMS: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("RSA", ""): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    ("OKP", "Ed448"): frozenset({"EdDSA"}),
}
"""What a key of a type and curve verifies. Secrets (oct) are none of a provider's public keys."""
_READERS: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}
ASYMMETRIC: Final = frozenset().union(*_ALGORITHMS.values())
"""The algorithms of all keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key that tokens are verified with."""

    kid: str | None
    """Its name in the set."""
    algorithms: frozenset[str]
    """What it may be used with."""
    key: PublicKey
    """The key itself."""


def read_keys(document: bytes) -> tuple[SigningKey, ...]:
    """The keys of a set that can be used; others are left out.

    Raises:
        ValueError: It is no such set.
    """
    found = json.loads(document)
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ValueError("it is no JSON Web Key Set")  # noqa: TRY004  # the data's fault
    keys = (_read_key(each) for each in found["keys"] if isinstance(each, dict))
    return tuple(key for key in keys if key is not None)


def _read_key(jwk: Mapping[str, Any]) -> SigningKey | None:
    try:
        return _signing_key(jwk)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None  # none that we know how to use


def _signing_key(jwk: Mapping[str, Any]) -> SigningKey | None:
    kind, curve, kid = jwk.get("kty"), jwk.get("crv", ""), jwk.get("kid")
    verifies = jwk.get("use", "sig") == "sig" and "verify" in jwk.get("key_ops", ["verify"])
    if not (isinstance(kind, str) and isinstance(curve, str) and verifies):
        return None
    algorithms = _ALGORITHMS.get((kind, curve), frozenset())
    if "alg" in jwk:
        algorithms &= {jwk["alg"]}
    if not algorithms or not isinstance(kid, str | None):
        return None
    # Only what is public is read of it.
    public = {name: jwk[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in jwk}
    key = _READERS[kind](public)
    if isinstance(key, RSAPublicKey) and key.key_size not in _RSA_BITS:
        return None
    if not isinstance(key, PublicKey):
        return None
    return SigningKey(kid=kid, algorithms=algorithms, key=key)


class KeySet:
    """The keys at an address, for all requests of one process."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is fetched yet.

        Args:
            url: Where the set is.
            clock: Tells the time, in seconds.
        """
        self._url = url
        self._clock = clock
        self._keys: tuple[SigningKey, ...] | None = None
        self._read_at = 0.0
        self._tried_at = -AGAIN_S
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key that a token is to be verified with.

        Args:
            kid: Its name; None where the token names none: then it must be the only one.
            algorithm: What it must be good for.

        Returns:
            None where there is none.

        Raises:
            ApiError: The provider was never reached (503).
        """
        if self._keys is None:
            await self._refresh()
        elif self._clock() - self._read_at >= FRESH_S:
            self._begin()  # those that are known do meanwhile
        if self._keys is not None and kid not in (None, *(each.kid for each in self._keys)):
            await self._refresh()
        if self._keys is None:
            raise ApiError(
                503,
                "The identity provider cannot be reached; try again in a few seconds.",
                code="identity_provider_unavailable",
                headers={"Retry-After": str(int(AGAIN_S))},
            )
        fitting = [
            each.key
            for each in self._keys
            if algorithm in each.algorithms and kid in (None, each.kid)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _begin(self) -> asyncio.Task[None] | None:
        """Fetch the set, unless that was tried a moment ago; who comes meanwhile shares it."""
        if self._fetching is None or self._fetching.done():
            if self._clock() - self._tried_at < AGAIN_S:
                return None
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _refresh(self) -> None:
        fetching = self._begin()
        if fetching is not None:
            await asyncio.shield(fetching)  # others may wait for it, too

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                keys = read_keys(await self._read())
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as exc:
            _log.warning("keys_unread url=%s error=%s", self._url, repr(exc))
            return
        _log.info("keys_read url=%s keys=%d", self._url, len(keys))
        self._keys, self._read_at = keys, self._clock()

    async def _read(self) -> bytes:
        # Authorities of one's own are named by SSL_CERT_FILE.
        certificates = await asyncio.to_thread(httpx.create_ssl_context)
        async with (
            httpx.AsyncClient(
                verify=certificates, trust_env=False, follow_redirects=False, timeout=_PATIENCE_S
            ) as client,
            client.stream("GET", self._url) as response,
        ):
            response.raise_for_status()
            document = bytearray()
            async for piece in response.aiter_bytes():
                document += piece
                if len(document) > _MOST_BYTES:
                    raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
            return bytes(document)
