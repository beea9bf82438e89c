"""``/v1/farm/quotas`` and ``/v1/farm/users``: what users may have, and what they have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.auth import ByOperator
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import documented
from coordinator.api.services import Parts, Services
from coordinator.database import Connection, audit, farm, quotas
from coordinator.quotas import QuotaLimits

router: Final = APIRouter(prefix="/farm", tags=["farm"], responses=documented(401, 403, 422, 503))

UserId = Annotated[str, Path(min_length=1, max_length=200, description="Who.")]


class QuotaRequest(QuotaLimits):
    """What a user may have; what is left out or null is as the settings say."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"running": 64, "stored_bytes": 10**12}]}
    )

    queued: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="Exports that have not ended."
    )


class Quota(QuotaLimits):
    """What was said for one user; null is as the settings say."""

    user_id: str = Field(description="Who.")
    updated_at: datetime = Field(description="When it was last changed.")


class QuotaPage(BaseModel):
    """A page of quotas."""

    quotas: list[Quota] = Field(description="By user.")
    has_more: bool = Field(description="Whether there are more.")


class UserUse(BaseModel):
    """What one user has, and may have."""

    user_id: str = Field(description="Who.")
    exports_queued: int = Field(description="Exports of which nothing has begun.")
    exports_rendering: int = Field(description="Exports that are rendering.")
    exports_uploading: int = Field(description="Exports that are stitched and stored.")
    running: int = Field(description="Work items under way, but for previews and probes.")
    assets: int = Field(description="Uploaded files.")
    asset_bytes: int = Field(description="Their bytes.")
    videos: int = Field(description="Finished videos that can be had.")
    video_bytes: int = Field(description="Their bytes.")
    quota: QuotaLimits = Field(description="What he may have; null is any number.")
    has_own_quota: bool = Field(description="Whether any of that was said for him.")

    @classmethod
    def of(cls, user_id: str, row: Mapping[str, Any], own: Any, limits: QuotaLimits) -> Self:
        """A user's use from what the database counts."""
        return cls(user_id=user_id, **row, quota=limits, has_own_quota=own is not None)


@router.get("/quotas")
async def list_quotas(
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    limit: Limit = 20,
    offset: Offset = 0,
) -> QuotaPage:
    """What was said for single users; for all others the settings apply."""
    async with services.database.transaction() as connection:
        rows = await quotas.list_quotas(connection, limit=limit + 1, offset=offset)
    page, has_more = cut(rows, limit)
    return QuotaPage(quotas=[Quota(**row) for row in page], has_more=has_more)


@router.get("/quotas/{user_id:path}")
async def get_quota(user_id: UserId, caller: ByOperator, services: Parts) -> QuotaLimits:  # noqa: ARG001
    """What a user may have: what was said for him, and the settings for the rest."""
    async with services.database.transaction() as connection:
        return await _in_force(connection, services, user_id)


@router.put("/quotas/{user_id:path}")
async def set_quota(
    user_id: UserId, request: QuotaRequest, caller: ByOperator, services: Parts
) -> Quota:
    """Say what a user may have. What is there stays, also where it is more."""
    async with services.database.transaction() as connection:
        row = await quotas.set_quota(connection, user_id, request)
        await audit.note(
            connection,
            caller,
            "quota.set",
            user_id,
            **request.model_dump(),
        )
    return Quota(**row)


@router.delete("/quotas/{user_id:path}", status_code=204, responses=documented(404))
async def drop_quota(user_id: UserId, caller: ByOperator, services: Parts) -> None:
    """Let a user have what the settings say."""
    async with services.database.transaction() as connection:
        await quotas.drop_quota(connection, user_id)
        await audit.note(
            connection,
            caller,
            "quota.drop",
            user_id,
        )


@router.get("/users/{user_id:path}")
async def get_user(user_id: UserId, caller: ByOperator, services: Parts) -> UserUse:  # noqa: ARG001
    """What a user has under way and stored, and what he may have."""
    return await use_of(services, user_id)


async def use_of(services: Services, user_id: str) -> UserUse:
    """What a user has under way and stored, and what he may have."""
    async with services.database.transaction() as connection:
        row = await farm.get_user(connection, user_id)
        own = await quotas.find_quota(connection, user_id)
        limits = await _in_force(connection, services, user_id)
    return UserUse.of(user_id, row, own, limits)


async def _in_force(connection: Connection, services: Services, user_id: str) -> QuotaLimits:
    # How much may run is the dispatcher's setting, which it writes down.
    told = await farm.get_dispatcher(connection)
    defaults = services.limits.quotas.model_copy(update={"running": told["quota_running"]})
    return defaults.with_own(await quotas.find_quota(connection, user_id))
