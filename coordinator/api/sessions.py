"""``/v1/session``: signing a browser in and out.

A session is an API key that a browser holds in a cookie, out of the reach of scripts: it has an
owner, a scope and an end like every key, is listed among them, and is revoked with the key that
somebody signed in with.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.auth import COOKIE, By, cross_site
from coordinator.api.identities import address_of
from coordinator.api.origins import is_ours
from coordinator.api.problems import documented
from coordinator.api.services import Parts
from coordinator.database import api_keys
from coordinator.scopes import Scope

router: Final = APIRouter(prefix="/session", tags=["keys"])

_LONGEST: Final = 16_384
_AGENT: Final = 80


class SignIn(BaseModel):
    """With what somebody signs in."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"token": "mf_…"}]}
    )

    token: str = Field(
        min_length=1,
        max_length=_LONGEST,
        description="An API key, or a JWT of the identity provider's.",
    )


class Session(BaseModel):
    """That a browser is signed in."""

    user_id: str = Field(description="As which user.")
    scope: Scope = Field(description="What may be done.")
    expires_at: datetime = Field(description="Until when.")


@router.post("", status_code=201, responses=documented(401, 403, 422, 429, 503))
async def sign_in(request: SignIn, services: Parts, http: Request, response: Response) -> Session:
    """Sign a browser in: it gets a cookie, which stands for the token from then on.

    The cookie is for the page at `/` alone: a request that shows it is refused where another
    page has sent it. Programs send the token itself.
    """
    if "origin" in http.headers and not is_ours(http.method, http.headers):
        raise cross_site()
    caller = await services.identities.caller_of(request.token.strip(), address_of(http))
    until = datetime.now(UTC) + timedelta(seconds=services.limits.session_s)
    if caller.expires_at is not None:
        until = min(until, caller.expires_at)
    agent = http.headers.get("user-agent", "")[:_AGENT].strip()
    async with services.database.transaction() as connection:
        token, row = await api_keys.create_key(
            connection,
            user_id=caller.user_id,
            name=f"session: {agent}" if agent.isprintable() and agent else "session",
            scope=caller.scope,
            expires_at=until,
            is_session=True,
            opened_with=caller.key_id,
        )
    response.set_cookie(
        COOKIE,
        token,
        expires=until,
        httponly=True,
        samesite="strict",
        # A proxy may speak TLS for us; the browser knows how it came here.
        secure=http.headers.get("origin", "").startswith("https:"),
    )
    response.headers["Cache-Control"] = "no-store"
    return Session(user_id=caller.user_id, scope=caller.scope, expires_at=row["expires_at"])


@router.delete("", status_code=204, responses=documented(401, 403, 422, 503))
async def sign_out(caller: By, services: Parts, response: Response) -> None:
    """Sign a browser out: its cookie is worth nothing any more. A key that is no session stays."""
    if caller.key_id is not None:
        async with services.database.transaction() as connection:
            await api_keys.end_session(connection, caller.key_id)
        services.keys.forget(caller.key_id)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
