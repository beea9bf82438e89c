"""``/v1/audit``: what operators and admins did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from coordinator.api.auth import ByOperator
from coordinator.api.pages import Limit, cut
from coordinator.api.problems import documented
from coordinator.api.services import Parts
from coordinator.database import audit

router: Final = APIRouter(prefix="/audit", tags=["farm"], responses=documented(401, 403, 422, 503))


class AuditEntry(BaseModel):
    """Something that an operator or an admin did."""

    id: int = Field(description="Its number; later ones are higher.")
    at: datetime = Field(description="When.")
    user_id: str = Field(description="Who.")
    key_id: str | None = Field(
        description="With which key; null: with a token of the identity provider's."
    )
    action: str = Field(description="What, in a fixed word.", examples=["key.create"])
    target: str | None = Field(
        description="What it was done to: the id of an export, a node, a user, a key; null: the "
        "farm."
    )
    detail: dict[str, Any] = Field(description="What else was noted.")


class AuditPage(BaseModel):
    """A page of the audit log."""

    entries: list[AuditEntry] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")


@router.get("")
async def list_audit(
    _operator: ByOperator,
    services: Parts,
    before: Annotated[
        int | None,
        Query(ge=1, le=2**63 - 1, description="Only older ones than this: the last one's id."),
    ] = None,
    target: Annotated[
        str | None, Query(max_length=200, description="Only what was done to it.")
    ] = None,
    limit: Limit = 20,
) -> AuditPage:
    """What operators and admins did, newest first. For operators."""
    async with services.database.transaction() as connection:
        rows = await audit.list_entries(connection, limit=limit + 1, before=before, target=target)
    page, has_more = cut(rows, limit)
    return AuditPage(entries=[AuditEntry(**row) for row in page], has_more=has_more)
