"""``/v1/me``: who is asking, and how much he has and may have."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from coordinator.api.auth import By
from coordinator.api.problems import documented
from coordinator.api.quotas import UserUse, use_of
from coordinator.api.services import Parts
from coordinator.scopes import Scope

router: Final = APIRouter(tags=["keys"], responses=documented(401, 422, 503))


class Me(BaseModel):
    """Who is asking."""

    user_id: str = Field(description="As which user.")
    scope: Scope = Field(description="What may be done.")
    key_id: str | None = Field(
        description="With which key; null: with a token of the identity provider's."
    )
    use: UserUse = Field(description="What you have under way and stored, and may have.")


@router.get("/me")
async def get_me(caller: By, services: Parts) -> Me:
    """Who you are here, what you have stored, and how much you may have."""
    use = await use_of(services, caller.user_id)
    return Me(user_id=caller.user_id, scope=caller.scope, key_id=caller.key_id, use=use)
