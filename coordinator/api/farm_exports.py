"""``/v1/farm/exports``: the exports of everybody, as operators see and hold them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from coordinator.api.auth import ByOperator
from coordinator.api.exports import ChunkIndex, Most, attempts_of, chunks_of
from coordinator.api.models import Attempts, Chunks, Export, ExportPage
from coordinator.api.pages import After, Limit, Offset, cut, next_cursor
from coordinator.api.problems import documented
from coordinator.api.requests import PriorityRequest
from coordinator.api.services import Parts
from coordinator.api.waiting import WhyWaiting, why_of
from coordinator.database import audit, exports, transitions
from shared.states import ExportStatus

router: Final = APIRouter(
    prefix="/farm/exports", tags=["farm"], responses=documented(401, 403, 422, 503)
)

ExportId = Annotated[str, Path(description="Anybody's export.")]


@router.get("")
async def list_everybodys_exports(
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    after: After,
    status: Annotated[
        tuple[ExportStatus, ...], Query(description="Only those of a status, or of several.")
    ] = (),
    user_id: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Only those of a user.")
    ] = None,
    limit: Limit = 20,
) -> ExportPage:
    """The exports of everybody, newest first."""
    async with services.database.reading() as connection:
        rows = await exports.list_everybodys(
            connection, limit=limit + 1, statuses=status, user_id=user_id, before=after
        )
    page, has_more = cut(rows, limit)
    return ExportPage(
        exports=[Export.of(row) for row in page],
        has_more=has_more,
        next_cursor=next_cursor(page, has_more),
    )


@router.get("/{export_id}", responses=documented(404))
async def get_any_export(export_id: ExportId, caller: ByOperator, services: Parts) -> Export:  # noqa: ARG001
    """Anybody's export."""
    async with services.database.transaction() as connection:
        return Export.of(await exports.get_export(connection, None, export_id))


@router.post("/{export_id}/pause", responses=documented(404, 409))
async def pause_export(export_id: ExportId, caller: ByOperator, services: Parts) -> Export:
    """Let nothing more of an export begin; what is under way is finished."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, None, export_id)
        row = await transitions.pause_export(connection, export_id)
        await audit.note(connection, caller, "export.pause", export_id)
    return Export.of(row)


@router.post("/{export_id}/resume", responses=documented(404))
async def resume_export(export_id: ExportId, caller: ByOperator, services: Parts) -> Export:
    """Let a paused export go on; one that is not paused stays as it is."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, None, export_id)
        row = await transitions.resume_export(connection, export_id)
        await audit.note(connection, caller, "export.resume", export_id)
    return Export.of(row)


@router.patch("/{export_id}", responses=documented(404, 409))
async def prioritise_export(
    export_id: ExportId, request: PriorityRequest, caller: ByOperator, services: Parts
) -> Export:
    """Let anybody's export come earlier or later than everybody's."""
    async with services.database.transaction() as connection:
        before = await exports.get_export(connection, None, export_id)
        row = await transitions.set_priority(connection, None, export_id, request.priority)
        await audit.note(
            connection,
            caller,
            "export.prioritise",
            export_id,
            before=before["priority"],
            priority=request.priority,
        )
    return Export.of(row)


@router.post("/{export_id}/cancel", responses=documented(404, 409))
async def cancel_any_export(export_id: ExportId, caller: ByOperator, services: Parts) -> Export:
    """Cancel anybody's export; its owner is told that an operator did."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, None, export_id)
        row = await transitions.cancel_export(
            connection, None, export_id, "Cancelled by an operator."
        )
        await audit.note(connection, caller, "export.cancel", export_id)
    return Export.of(row)


@router.get("/{export_id}/why-waiting", responses=documented(404))
async def get_why_any_waits(
    export_id: ExportId,
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
) -> WhyWaiting:
    """What anybody's export waits for."""
    return await why_of(services, None, export_id)


@router.get("/{export_id}/chunks", responses=documented(404))
async def list_any_chunks(
    export_id: ExportId,
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    limit: Most = 1000,
    offset: Offset = 0,
) -> Chunks:
    """The pieces that anybody's export is rendered in, and how each stands."""
    return await chunks_of(services, None, export_id, limit=limit, offset=offset)


@router.get("/{export_id}/attempts", responses=documented(404))
async def list_any_attempts(
    export_id: ExportId,
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    chunk: ChunkIndex = None,
    limit: Most = 100,
) -> Attempts:
    """What was tried for anybody's export, newest first."""
    return await attempts_of(services, None, export_id, limit=limit, chunk=chunk)
