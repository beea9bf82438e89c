"""Who makes a request: API keys as bearer tokens (RFC 6750)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from coordinator.api.known_keys import Caller
from coordinator.api.problems import ApiError
from coordinator.api.services import Parts

_SCHEME: Final = HTTPBearer(
    auto_error=False,
    scheme_name="api_key",
    bearerFormat="mf_…",
    description="An API key: `Authorization: Bearer mf_…`. It is shown once, when it is made.",
)


async def _caller(
    services: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
) -> Caller:
    if credentials is None:
        raise ApiError(
            401,
            "This needs an API key: send the header Authorization: Bearer mf_….",
            headers={"WWW-Authenticate": 'Bearer realm="midifarm"'},
        )
    caller = await services.keys.find(credentials.credentials)
    if caller is None:
        raise ApiError(
            401,
            "There is no such API key, or it was revoked. Ask your administrator for a new one.",
            headers={"WWW-Authenticate": 'Bearer realm="midifarm", error="invalid_token"'},
        )
    return caller


By = Annotated[Caller, Depends(_caller)]
"""A route's parameter: who makes the request; without a valid key it is refused."""
