"""``/v1/exports/{export_id}/why-waiting``: what an export waits for."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from coordinator.api.auth import By
from coordinator.api.problems import documented
from coordinator.api.services import Parts, Services
from coordinator.database import farm
from coordinator.waiting import Facts, PoolNodes, Why, why_waiting
from shared.states import ExportStatus

router: Final = APIRouter(prefix="/exports", tags=["exports"], responses=documented(401, 422, 503))


class WhyWaiting(BaseModel):
    """What an export waits for."""

    export_id: str = Field(description="Which export.")
    status: ExportStatus = Field(description="Where it stands.")
    code: Why = Field(description="The reason, for programs; `ended` and `under_way`: it does not.")
    message: str = Field(description="The same for people.")
    attempts: int = Field(description="Its attempts under way.")
    not_before: datetime | None = Field(
        description="When it may begin, where it rests after a failure."
    )
    own_ahead: int = Field(
        description="Its owner's exports that come before it; 1000 for more, too."
    )
    users_waiting: int = Field(description="Other users who have work waiting; 1000 for more, too.")
    users_ahead: int = Field(description="Of these, those whose work has a higher priority.")


@router.get("/{export_id}/why-waiting", responses=documented(404))
async def get_why_waiting(export_id: str, caller: By, services: Parts) -> WhyWaiting:
    """What one of your exports waits for."""
    return await why_of(services, caller.user_id, export_id)


async def why_of(services: Services, user_id: str | None, export_id: str) -> WhyWaiting:
    """What an export of a user's waits for, in words for him; or anybody's, in words for others."""
    async with services.database.transaction() as connection:
        row = await farm.get_waiting(connection, user_id, export_id)
    nodes = PoolNodes(**{field.name: row[f"nodes_{field.name}"] for field in fields(PoolNodes)})
    made: dict[str, Any] = {"status": ExportStatus(row["status"]), "nodes": nodes}
    known = {each.name: row[each.name] for each in fields(Facts) if each.name not in made}
    facts = Facts(**known, **made)
    reason = why_waiting(facts, whose="its owner's" if user_id is None else "yours")
    return WhyWaiting(
        export_id=row["id"],
        status=facts.status,
        code=reason.why,
        message=reason.sentence,
        attempts=facts.attempts,
        not_before=facts.not_before if facts.is_resting else None,
        own_ahead=facts.own_ahead,
        users_waiting=facts.users_waiting,
        users_ahead=facts.users_ahead,
    )
