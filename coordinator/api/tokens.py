"""JSON Web Tokens of an identity provider (RFC 7519): whom they stand for.

What may verify a token is settled by us, never by the token (RFC 8725): the secret HS256 alone, a
public key only the algorithms of its type. Its ``kid`` picks among the provider's keys; addresses
and keys that it brings along (``jku``, ``x5u``, ``jwk``) are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from pydantic import TypeAdapter, ValidationError

from coordinator.api.jwks import ASYMMETRIC, KeySet, PublicKey
from coordinator.api.known_keys import Caller
from coordinator.api.problems import refused
from coordinator.scopes import Scope
from coordinator.texts import Text

_FORM: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_LEEWAY_S: Final = 10.0
"""Clocks of two machines differ a little."""
_SYMMETRIC: Final = "HS256"
_USER_ID: Final = TypeAdapter[str](Text)
_OURS: Final[Mapping[type[jwt.PyJWTError], str]] = {
    jwt.InvalidAudienceError: "It is meant for another audience.",
    jwt.InvalidIssuerError: "It is of another issuer.",
    jwt.ImmatureSignatureError: "It is not valid yet.",
    jwt.InvalidSignatureError: "Its signature is wrong.",
}
"""What a caller is told; anything else is in no form that a token may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Whose tokens are taken, and which of them."""

    audience: str
    """Whom they must be meant for: us."""
    issuer: str
    """Who must have made them."""
    scope_claim: str
    """Which claim says what may be done."""
    secret: bytes | None = field(default=None, repr=False)
    """What they are signed with (HS256)."""
    jwks_url: str | None = None
    """Where the public keys are."""


def is_jwt(token: str) -> bool:
    """Whether a token has the form of a JWT."""
    return _FORM.fullmatch(token) is not None


class Tokens:
    """Verifies the tokens of one provider."""

    def __init__(self, provider: Provider) -> None:
        """Nothing is fetched yet."""
        self._provider = provider
        self._keys = KeySet(provider.jwks_url) if provider.jwks_url is not None else None

    async def caller_of(self, token: str) -> Caller:
        """Whom a token stands for.

        Raises:
            ApiError: It is not valid (401), or the provider's keys cannot be had (503).
        """
        try:
            header = jwt.get_unverified_header(token)
            claims = self._claims(token, header["alg"], await self._key(header))
        except jwt.ExpiredSignatureError:
            raise refused("The token has expired; get a new one.", code="expired_token") from None
        except jwt.MissingRequiredClaimError as exc:
            raise _invalid(f"It has no claim {exc.claim}.") from None
        except jwt.PyJWTError as exc:
            raise _invalid(_OURS.get(type(exc), "It is broken.")) from None
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            raise _invalid("It is broken.") from None
        return Caller(
            user_id=_user_id(claims),
            key_id=None,
            scope=self._scope(claims),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    async def _key(self, header: Mapping[str, Any]) -> bytes | PublicKey:
        algorithm, kid = header["alg"], header.get("kid")
        key: bytes | PublicKey | None = None
        if algorithm == _SYMMETRIC:
            key = self._provider.secret
        elif isinstance(algorithm, str) and algorithm in ASYMMETRIC and self._keys is not None:
            key = await self._keys.find(kid, algorithm)
        if key is None:
            raise _invalid("There is no key that verifies it.")
        return key

    def _claims(self, token: str, algorithm: str, key: bytes | PublicKey) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],  # the one that the key was found for
            audience=self._provider.audience,
            issuer=self._provider.issuer,
            leeway=_LEEWAY_S,
            options={
                "require": ["exp", "aud", "iss", "sub"],
                "enforce_minimum_key_length": True,
            },
        )

    def _scope(self, claims: Mapping[str, Any]) -> Scope:
        given = claims.get(self._provider.scope_claim)
        if given is None:
            return Scope.USER
        try:
            return Scope(given)
        except ValueError:
            raise _invalid(
                f"Its claim {self._provider.scope_claim} is neither user, operator nor admin."
            ) from None


def _user_id(claims: Mapping[str, Any]) -> str:
    """The subject, as it is: two subjects are never one user."""
    subject = claims["sub"]
    try:
        if _USER_ID.validate_python(subject, strict=True) == subject:
            return str(subject)
    except ValidationError:
        pass
    raise _invalid("Its subject is no text of 1 to 200 plain characters.")


def _invalid(reason: str) -> Exception:
    return refused(f"The token is not valid. {reason}", code="invalid_token")
