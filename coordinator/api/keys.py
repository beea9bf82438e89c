"""``/v1/keys``: making, listing and revoking API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.auth import By
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import ApiError, documented
from coordinator.api.services import Parts
from coordinator.database import Row, api_keys
from coordinator.texts import Text

router: Final = APIRouter(prefix="/keys", tags=["keys"], responses=documented(401, 422, 503))


class KeyRequest(BaseModel):
    """A key that is to be made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "laptop"}]})

    name: Text = Field(description="What it is for.")
    user_id: Text | None = Field(
        default=None, description="Who uses the API with it; only an admin names somebody else."
    )
    is_admin: bool = Field(
        default=False, description="Whether it may make and revoke keys of other users."
    )


class Key(BaseModel):
    """A key without its token."""

    id: str = Field(description="Its id.")
    user_id: str = Field(description="Who uses the API with it.")
    name: str = Field(description="What it is for.")
    is_admin: bool = Field(description="Whether it may make and revoke keys of other users.")
    created_at: datetime = Field(description="When it was made.")
    last_used_at: datetime | None = Field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = Field(description="When it was revoked.")


class NewKey(Key):
    """A key that was just made."""

    token: str = Field(description="What to send with requests; it is never shown again.")


class KeyPage(BaseModel):
    """A page of keys."""

    keys: list[Key] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Key.model_fields}


@router.post("", status_code=201, responses=documented(403))
async def make_key(request: KeyRequest, caller: By, services: Parts, response: Response) -> NewKey:
    """Make a key. Its token is in the answer, and nowhere else."""
    user_id = request.user_id or caller.user_id
    if not caller.is_admin and (user_id != caller.user_id or request.is_admin):
        raise ApiError(403, "Only an admin's key makes keys for other users, or admins' keys.")
    async with services.database.transaction() as connection:
        token, row = await api_keys.create_key(
            connection, user_id=user_id, name=request.name, is_admin=request.is_admin
        )
    response.headers["Cache-Control"] = "no-store"
    return NewKey(token=token, **_shown(row))


@router.get("")
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
    if everybody and not caller.is_admin:
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
        await api_keys.revoke_key(connection, None if caller.is_admin else caller.user_id, key_id)
    services.keys.forget(key_id)
