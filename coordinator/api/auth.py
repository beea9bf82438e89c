"""Who makes a request: bearer tokens of programs (RFC 6750), and the cookie of our own page."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from coordinator.api.identities import address_of
from coordinator.api.known_keys import Caller
from coordinator.api.origins import is_ours
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

COOKIE: Final = "midifarm_session"
"""What a browser holds that has signed in."""
_SESSION: Final = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description="The cookie of a browser that has signed in (`POST /v1/session`): for the page at "
    "`/` alone.",
)


async def _caller(
    request: Request,
    services: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
    session: Annotated[str | None, Security(_SESSION)],
) -> Caller:
    token = session if credentials is None else credentials.credentials
    if not token:
        services.metrics.refused_logins.labels(reason="unauthenticated").inc()
        raise refused("This needs a token: send the header Authorization: Bearer mf_….")
    if credentials is None and not is_ours(request.method, request.headers):
        raise cross_site()
    return await services.identities.caller_of(token, address_of(request))


def cross_site() -> ApiError:
    """The problem of a cookie that travels at the bidding of another page."""
    return ApiError(
        403, "Another page has sent this: your session is for midifarm's alone.", code="cross_site"
    )


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
