"""``/v1/exports``: asking for videos, and how they stand."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Body, Query

from coordinator.api.accepting import Asked, hold_objects, prepare
from coordinator.api.auth import By
from coordinator.api.idempotency import Once
from coordinator.api.models import Accepted, Attempt, Attempts, Chunk, Chunks, Export, ExportPage
from coordinator.api.pages import After, Limit, Offset, cut, next_cursor
from coordinator.api.pools import refuse_unknown
from coordinator.api.problems import documented
from coordinator.api.requests import AgainRequest, ExportRequest, PriorityRequest
from coordinator.api.services import Parts, Services
from coordinator.database import Connection, batches, exports, quotas, transitions
from coordinator.database.exports import Filter, NewExport
from coordinator.texts import Moment, Text
from shared.errors import ConflictError
from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.states import ExportStatus

router: Final = APIRouter(prefix="/exports", tags=["exports"], responses=documented(401, 422, 503))

Most = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
ChunkIndex = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="Only those of a chunk.")]


@router.post("", status_code=202, responses=documented(403, 404, 409, 507))
async def queue_exports(
    request: ExportRequest, caller: By, services: Parts, once: Once
) -> Accepted:
    """Queue one export, or a batch: one for each preset. What is accepted is not lost any more.

    Images that its branding names by address are fetched now, once, and become assets of yours.
    """
    ready = await prepare(services, caller, [Asked(place="", item=request)])

    async def make(connection: Connection) -> Accepted:
        batch_id = None
        if len(ready.exports) > 1:
            title = request.name or ready.title
            batch_id = await batches.create_batch(connection, caller.user_id, title)
        ids = await ready.accept(
            connection, caller.user_id, batch_id=batch_id, defaults=services.limits.quotas
        )
        rows = await exports.get_exports(connection, caller.user_id, ids)
        return Accepted(exports=[Export.of(row) for row in rows], batch_id=batch_id)

    return await once.run(make)


@router.get("")
async def list_exports(
    caller: By,
    services: Parts,
    after: After,
    status: Annotated[
        tuple[ExportStatus, ...],
        Query(description="Only those of a status; several times, of any of them."),
    ] = (),
    name: Annotated[
        Text | None,
        Query(description="Only those whose names contain this text, in capitals or not."),
    ] = None,
    batch_id: Annotated[
        str | None, Query(max_length=60, description="Only those of a batch.")
    ] = None,
    composition_id: Annotated[
        str | None, Query(max_length=60, description="Only those of a composition.")
    ] = None,
    since: Annotated[Moment | None, Query(description="Only those accepted then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only those accepted before.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> ExportPage:
    """Your exports, newest first."""
    wanted = Filter(
        statuses=status,
        name=name,
        batch_id=batch_id,
        composition_id=composition_id,
        since=since,
        until=until,
        before=after,
    )
    async with services.database.reading() as connection:
        rows = await exports.list_exports(
            connection, caller.user_id, limit=limit + 1, offset=offset, of=wanted
        )
    page, has_more = cut(rows, limit)
    return ExportPage(
        exports=[Export.of(row) for row in page],
        has_more=has_more,
        next_cursor=next_cursor(page, has_more),
    )


@router.get("/{export_id}", responses=documented(404))
async def get_export(export_id: str, caller: By, services: Parts) -> Export:
    """One of your exports."""
    async with services.database.reading() as connection:
        return Export.of(await exports.get_export(connection, caller.user_id, export_id))


@router.patch("/{export_id}", responses=documented(404, 409))
async def set_priority(
    export_id: str, request: PriorityRequest, caller: By, services: Parts
) -> Export:
    """Let an export come earlier or later than others."""
    async with services.database.transaction() as connection:
        return Export.of(
            await transitions.set_priority(connection, caller.user_id, export_id, request.priority)
        )


@router.post("/{export_id}/cancel", responses=documented(404, 409))
async def cancel_export(export_id: str, caller: By, services: Parts) -> Export:
    """Cancel an export that has not ended; a second time does no harm."""
    async with services.database.transaction() as connection:
        return Export.of(await transitions.cancel_export(connection, caller.user_id, export_id))


@router.delete("/{export_id}", status_code=204, responses=documented(404, 409))
async def delete_export(export_id: str, caller: By, services: Parts) -> None:
    """Delete an export that has ended, with its video; it cannot be had back."""
    async with services.database.transaction() as connection:
        await transitions.delete_export(connection, caller.user_id, export_id)


@router.post("/{export_id}/retry", status_code=202, responses=documented(403, 404, 409))
async def retry_export(export_id: str, caller: By, services: Parts, once: Once) -> Export:
    """Try a failed or cancelled export again; what still stands of it is reused."""

    async def make(connection: Connection) -> Export:
        row = await exports.get_export(connection, caller.user_id, export_id)
        intake = IntakeSpec.model_validate(row["intake"])
        await hold_objects(connection, caller.user_id, intake)
        if ExportStatus(row["status"]).ended:
            await quotas.admit_exports(connection, caller.user_id, 1, services.limits.quotas)
        return Export.of(await transitions.retry_export(connection, caller.user_id, export_id))

    return await once.run(make)


@router.post("/{export_id}/re-export", status_code=202, responses=documented(403, 404, 409))
async def export_again(
    export_id: str,
    caller: By,
    services: Parts,
    once: Once,
    request: Annotated[AgainRequest | None, Body()] = None,
) -> Export:
    """Make a new export like one that has ended, from the same revision of its composition.

    It asks for the same pool, unless another one is named.
    """

    async def make(connection: Connection) -> Export:
        row = await exports.get_export(connection, caller.user_id, export_id)
        if not ExportStatus(row["status"]).ended:
            raise ConflictError(
                f"The export is {row['status']}; it can be made again when it has ended."
            )
        pool = (request and request.pool) or row["pool"]
        await refuse_unknown(connection, services, {pool})
        intake = IntakeSpec.model_validate(row["intake"])
        await hold_objects(connection, caller.user_id, intake)
        await quotas.admit_exports(connection, caller.user_id, 1, services.limits.quotas)
        again = NewExport(
            composition_id=row["composition_id"],
            composition_revision=row["composition_revision"],
            name=row["name"],
            configuration=ExportConfiguration.model_validate(row["config"]),
            intake=intake,
            start_s=row["start_s"],
            end_s=row["end_s"],
            priority=row["priority"],
            pool=pool,
            reexport_of=row["id"],
        )
        (made,) = await exports.create_exports(connection, caller.user_id, [again])
        return Export.of(await exports.get_export(connection, caller.user_id, made))

    return await once.run(make)


@router.get("/{export_id}/chunks", responses=documented(404))
async def list_chunks(
    export_id: str, caller: By, services: Parts, limit: Most = 1000, offset: Offset = 0
) -> Chunks:
    """The pieces that an export is rendered in, and how each stands; none before it is planned."""
    return await chunks_of(services, caller.user_id, export_id, limit=limit, offset=offset)


@router.get("/{export_id}/attempts", responses=documented(404))
async def list_attempts(
    export_id: str, caller: By, services: Parts, chunk: ChunkIndex = None, limit: Most = 100
) -> Attempts:
    """What was tried for an export, newest first: where it spent its time, and what failed."""
    return await attempts_of(services, caller.user_id, export_id, limit=limit, chunk=chunk)


async def chunks_of(
    services: Services, user_id: str | None, export_id: str, *, limit: int, offset: int
) -> Chunks:
    """A page of the pieces of an export of a user's, or of anybody's."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, user_id, export_id)
        rows = await exports.list_chunks(connection, export_id, limit=limit + 1, offset=offset)
    page, has_more = cut(rows, limit)
    return Chunks(chunks=[Chunk(**row) for row in page], has_more=has_more)


async def attempts_of(
    services: Services, user_id: str | None, export_id: str, *, limit: int, chunk: int | None
) -> Attempts:
    """What was tried for an export of a user's, or of anybody's, or for one of its pieces."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, user_id, export_id)
        rows = await exports.list_attempts(connection, export_id, limit=limit, chunk=chunk)
    return Attempts(attempts=[Attempt(**row) for row in rows])
