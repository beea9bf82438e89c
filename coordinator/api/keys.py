"""``/v1/keys``: making, listing and revoking API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from coordinator.api.auth import By
from coordinator.api.idempotency import Once
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import ApiError, documented
from coordinator.api.services import Parts
from coordinator.database import Connection, Row, api_keys, audit
from coordinator.scopes import Scope
from coordinator.texts import Moment, Text

router: Final = APIRouter(prefix="/keys", tags=["keys"], responses=documented(401, 422, 503))


class KeyRequest(BaseModel):
    """A key that is to be made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "laptop"}]})

    name: Text = Field(description="What it is for.")
    user_id: Text | None = Field(
        default=None, description="Who uses the API with it; only an admin names somebody else."
    )
    scope: Scope = Field(
        default=Scope.USER, description="What may be done with it; never more than with yours."
    )
    expires_at: Moment | None = Field(
        default=None,
        description="When it stops working, a time to come; it does not without it.",
    )

    @field_validator("expires_at")
    @classmethod
    def _to_come(cls, expires_at: datetime | None) -> datetime | None:
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise ValueError("that time is over")
        return expires_at


class Key(BaseModel):
    """A key without its token."""

    id: str = Field(description="Its id.")
    user_id: str = Field(description="Who uses the API with it.")
    name: str = Field(description="What it is for.")
    scope: Scope = Field(description="What may be done with it.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime | None = Field(description="When it stops working; null: never.")
    is_session: bool = Field(description="Whether a browser that signed in holds it in a cookie.")
    last_used_at: datetime | None = Field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = Field(description="When it was revoked.")


class NewKey(Key):
    """A key that was just made."""

    token: str | None = Field(
        description="What to send with requests; it is shown this once, and null if the same "
        "request is answered again."
    )


class KeyPage(BaseModel):
    """A page of keys."""

    keys: list[Key] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Key.model_fields}


@router.post("", status_code=201, responses=documented(403))
async def make_key(request: KeyRequest, caller: By, once: Once, response: Response) -> NewKey:
    """Make a key. Its token is in the answer, and nowhere else."""
    user_id = request.user_id or caller.user_id
    if user_id != caller.user_id and not caller.may(Scope.ADMIN):
        raise ApiError(403, "Only an admin makes keys for other users.")
    if not caller.may(request.scope):
        raise ApiError(403, f"Your own scope is {caller.scope}; you cannot give away more.")

    async def make(connection: Connection) -> NewKey:
        token, row = await api_keys.create_key(
            connection,
            user_id=user_id,
            name=request.name,
            scope=request.scope,
            expires_at=request.expires_at,
        )
        if user_id != caller.user_id:
            await audit.note(
                connection,
                caller,
                "key.create",
                row["id"],
                user=user_id,
                scope=str(request.scope),
            )
        return NewKey(token=token, **_shown(row))

    response.headers["Cache-Control"] = "no-store"
    return await once.run(make, hidden=["token"])


@router.get("", responses=documented(403))
async def list_keys(
    caller: By,
    services: Parts,
    everybody: Annotated[
        bool, Query(description="For admins: the keys of all users, not only one's own.")
    ] = False,
    limit: Limit = 20,
    offset: Offset = 0,
) -> KeyPage:
    """Your keys, newest first."""
    if everybody and not caller.may(Scope.ADMIN):
        raise ApiError(403, "Only an admin's key lists the keys of other users.")
    async with services.database.transaction() as connection:
        rows = await api_keys.list_keys(
            connection, None if everybody else caller.user_id, limit=limit + 1, offset=offset
        )
    page, has_more = cut(rows, limit)
    return KeyPage(keys=[Key(**_shown(row)) for row in page], has_more=has_more)


@router.delete("/{key_id}", status_code=204, responses=documented(404))
async def revoke_key(key_id: str, caller: By, services: Parts) -> None:
    """Revoke a key of yours, or as an admin anybody's. It stops working within seconds."""
    async with services.database.transaction() as connection:
        row = await api_keys.revoke_key(
            connection, None if caller.may(Scope.ADMIN) else caller.user_id, key_id
        )
        if row["user_id"] != caller.user_id:
            await audit.note(
                connection,
                caller,
                "key.revoke",
                key_id,
                user=row["user_id"],
            )
    services.keys.forget(key_id)
