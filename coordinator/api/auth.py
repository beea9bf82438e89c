"""Who makes a request: API keys and JWTs as bearer tokens (RFC 6750)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from coordinator.api.known_keys import Caller
from coordinator.api.problems import ApiError, refused
from coordinator.api.services import Parts
from coordinator.scopes import Scope

_SCHEME: Final = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    bearerFormat="mf_… or JWT",
    description="An API key: `Authorization: Bearer mf_…`, which is shown once, when it is made; "
    "or a JWT of the identity provider that the operator has set up.",
)


async def _caller(
    request: Request,
    services: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
) -> Caller:
    if credentials is None:
        services.metrics.refused_logins.labels(reason="unauthenticated").inc()
        raise refused("This needs a token: send the header Authorization: Bearer mf_….")
    address = request.client.host if request.client is not None else ""
    return await services.identities.caller_of(credentials.credentials, address)


By = Annotated[Caller, Depends(_caller)]
"""A route's parameter: who makes the request; without a valid token it is refused."""


async def _operator(caller: By) -> Caller:
    if not caller.may(Scope.OPERATOR):
        challenge = 'Bearer realm="midifarm", error="insufficient_scope", scope="operator"'
        raise ApiError(
            403,
            "Only operators of the farm may do this.",
            headers={"WWW-Authenticate": challenge},
        )
    return caller


ByOperator = Annotated[Caller, Depends(_operator)]
"""A route's parameter: the same, and an operator at least."""
