"""Which keys of an identity provider are taken, and when they are fetched."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from coordinator.api.jwks import AGAIN_S, FRESH_S, KeySet, read_keys
from coordinator.api.problems import ApiError
from tests.identity_provider import IdentityProvider, public_jwk
from tests.unit.test_rate import Clock

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP384R1())


def read(*keys: Any) -> list[tuple[str | None, frozenset[str]]]:
    found = read_keys(json.dumps({"keys": keys}).encode())
    return [(each.kid, each.algorithms) for each in found]


def test_a_key_verifies_what_its_type_and_its_entry_say() -> None:
    plain = public_jwk(RSA)
    ((_, algorithms),) = read(plain)
    assert algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert read(plain | {"alg": "RS256", "kid": "a"}) == [("a", {"RS256"})]
    assert read(public_jwk(EC) | {"kid": "b"}) == [("b", {"ES384"})]


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": base64.urlsafe_b64encode(bytes(64)).decode(), "alg": "HS256"},
        public_jwk(RSA) | {"alg": "HS256"},
        public_jwk(RSA) | {"alg": "ES256"},
        public_jwk(RSA) | {"use": "enc"},
        public_jwk(RSA) | {"key_ops": ["encrypt"]},
        public_jwk(RSA) | {"kid": 7},
        public_jwk(RSA) | {"alg": []},
        public_jwk(RSA) | {"key_ops": 7},
        public_jwk(RSA) | {"n": "AQAB"},
        public_jwk(RSA) | {"n": 3},
        public_jwk(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505
        public_jwk(EC) | {"crv": "P-256"},
        public_jwk(EC) | {"crv": "secp256k1"},
        public_jwk(EC) | {"crv": []},
        {"kty": "EC"},
        {},
        None,
    ],
)
def test_keys_that_verify_nothing_are_left_out(entry: Any) -> None:
    assert read(entry, public_jwk(RSA) | {"kid": "good"})[0][0] == "good"
    assert len(read(entry, public_jwk(RSA))) == 1


@pytest.mark.parametrize("document", [b"", b"[]", b'{"keys": 1}', b"{}", b"\xff"])
def test_what_is_no_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_keys(document)


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


def test_the_set_is_fetched_once_and_for_new_names_now_and_then(
    provider: IdentityProvider,
) -> None:
    clock = Clock()
    keys = KeySet(provider.url, clock=clock)

    async def run() -> None:
        found = await asyncio.gather(*(keys.find("rsa", "RS256") for _ in range(20)))
        assert None not in found
        assert provider.visits == 1
        assert await keys.find("rsa", "ES256") is None  # of another type
        assert await keys.find(None, "ES256") is not None  # the only one that fits
        for number in range(50):
            assert await keys.find(f"guess {number}", "RS256") is None
        assert provider.visits == 1
        provider.keys["new"] = EC
        clock.now += AGAIN_S
        assert await keys.find("new", "ES384") is not None
        assert provider.visits == 2
        provider.keys["other"] = ec.generate_private_key(ec.SECP256R1())
        clock.now += AGAIN_S
        assert await keys.find("other", "ES256") is not None
        assert await keys.find(None, "ES256") is None  # there are two

    asyncio.run(run())


def test_known_keys_go_on_while_the_provider_is_away(provider: IdentityProvider) -> None:
    clock = Clock()
    keys = KeySet(provider.url, clock=clock)

    async def run() -> None:
        provider.status = 500
        for _ in range(3):
            with pytest.raises(ApiError) as caught:
                await keys.find("rsa", "RS256")
            assert (caught.value.status, caught.value.code) == (
                503,
                "identity_provider_unavailable",
            )
        assert provider.visits == 1
        provider.status = 200
        clock.now += AGAIN_S
        assert await keys.find("rsa", "RS256") is not None
        provider.status, clock.now = 503, clock.now + FRESH_S
        assert await keys.find("rsa", "RS256") is not None
        assert keys._fetching is not None
        await keys._fetching
        assert provider.visits == 3
        assert await keys.find("rsa", "RS256") is not None
        # A key that the provider has withdrawn is gone once it can be asked again.
        provider.status, clock.now = 200, clock.now + AGAIN_S
        del provider.keys["rsa"]
        assert await keys.find("rsa", "RS256") is not None
        await keys._fetching
        assert await keys.find("rsa", "RS256") is None

    asyncio.run(run())


def test_a_set_without_end_is_no_set(provider: IdentityProvider) -> None:
    provider.others = [{"kty": "x" * 300_000}]

    async def run() -> None:
        with pytest.raises(ApiError):
            await KeySet(provider.url).find("rsa", "RS256")

    asyncio.run(run())
