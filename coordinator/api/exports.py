"""``/v1/exports``: asking for videos, and how they stand."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from coordinator.api.auth import By
from coordinator.api.branding import Settled, find_branding, settle
from coordinator.api.known_keys import Caller
from coordinator.api.models import Accepted, Attempt, Attempts, Export, ExportPage
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import ApiError, documented, field_error
from coordinator.api.requests import ExportRequest, PriorityRequest, changed
from coordinator.api.services import Parts, Services
from coordinator.branding import branding_uses, is_address, merged
from coordinator.database import Connection, Row, assets, compositions, exports, transitions
from coordinator.database.exports import NewExport
from coordinator.documents import (
    CompositionDocument,
    asset_faults,
    asset_uses,
    intake_spec,
    longest_s,
)
from coordinator.sharing import frames_shared
from shared.errors import ConflictError
from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.states import ExportStatus

router: Final = APIRouter(prefix="/exports", tags=["exports"], responses=documented(401, 422, 503))

_NAME_LENGTH: Final = 200


@router.post("", status_code=202, responses=documented(404, 409, 507))
async def queue_exports(request: ExportRequest, caller: By, services: Parts) -> Accepted:
    """Queue one export, or a batch: one for each preset. What is accepted is not lost any more.

    Images that its branding names by address are fetched now, once, and become assets of yours.
    """
    async with services.database.transaction() as connection:
        composition = await compositions.get_composition(
            connection, caller.user_id, request.composition_id, request.revision
        )
        document = CompositionDocument.model_validate(composition["document"])
        found = await usable_assets(connection, caller.user_id, document)
    branded = await _brand(request, caller, services)
    many = len(branded) > 1
    title = request.name or document.name
    end_s = request.end_s or longest_s(document, found)
    shared = frames_shared(
        [configuration for configuration, _ in branded],
        longest_s=None if end_s is None else end_s - request.start_s,
    )
    async with services.database.transaction() as connection:
        batch_id = await exports.create_batch(connection, caller.user_id, title) if many else None
        rows = [
            await exports.create_export(
                connection,
                NewExport(
                    user_id=caller.user_id,
                    composition_id=composition["id"],
                    composition_revision=composition["revision"],
                    name=title
                    if request.name and not many
                    else f"{title} - {configuration.name}"[:_NAME_LENGTH],
                    configuration=configuration,
                    intake=intake_spec(
                        document,
                        found | settled.assets,
                        branding=settled.told,
                        start_s=request.start_s,
                        end_s=request.end_s,
                        configuration=configuration,
                    ),
                    start_s=request.start_s,
                    end_s=request.end_s,
                    priority=request.priority,
                    batch_id=batch_id,
                    shared_frames=is_shared,
                ),
            )
            for (configuration, settled), is_shared in zip(branded, shared, strict=True)
        ]
    return Accepted(exports=[Export.of(row) for row in rows], batch_id=batch_id)


async def _brand(
    request: ExportRequest, caller: Caller, services: Services
) -> list[tuple[ExportConfiguration, Settled]]:
    """Each configuration with its branding, all of whose files are assets then."""
    template = None
    if request.template is not None:
        template = await find_branding(services, caller, request.template)
    # What cannot hold together is told before anything is fetched.
    asked = [
        (place, configuration, merged(template, configuration.branding, request.branding))
        for place, configuration in request.configurations
    ]
    for place, configuration, branding in asked:
        changed(place, configuration, branding=branding, too_long=request.too_long)
    named = {
        use.asset_id
        for _, _, branding in asked
        for use in branding_uses(branding, "")
        if is_address(use.asset_id)
    }
    if len(named) > services.limits.addresses:
        message = f"at most {services.limits.addresses} addresses are fetched; upload the files"
        raise field_error("branding", message)
    branded: list[tuple[ExportConfiguration, Settled]] = []
    known = dict[str, Settled]()
    for place, configuration, branding in asked:
        key = branding.model_dump_json() if branding is not None else ""
        if key not in known:
            known[key] = await settle(
                services,
                caller,
                [
                    ("template", template),
                    (f"{place}.branding", configuration.branding),
                    ("branding", request.branding),
                ],
            )
        settled = known[key]
        whole = changed(
            place,
            configuration,
            branding=settled.branding,
            too_long=request.too_long,
        )
        branded.append((whole, settled))
    return branded


async def usable_assets(
    connection: Connection, user_id: str, document: CompositionDocument
) -> dict[str, Row]:
    """What a document names; it was checked once, but a worker may have rejected it since."""
    uses = asset_uses(document)
    found = await assets.get_assets(connection, user_id, {use.asset_id for use in uses})
    faults = asset_faults(uses, found)
    if faults:
        sentences = "; ".join(f"{fault.field}: {fault.message.rstrip('.')}" for fault in faults)
        raise ApiError(
            409,
            f"The composition cannot be rendered: {sentences}. Upload what is needed, and revise "
            "the composition.",
            code="asset_rejected" if any(fault.rejected for fault in faults) else "conflict",
        )
    return found


@router.get("")
async def list_exports(
    caller: By,
    services: Parts,
    status: Annotated[ExportStatus | None, Query(description="Only those of a status.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> ExportPage:
    """Your exports, newest first."""
    async with services.database.transaction() as connection:
        rows = await exports.list_exports(
            connection, caller.user_id, limit=limit + 1, offset=offset, status=status
        )
    page, has_more = cut(rows, limit)
    return ExportPage(exports=[Export.of(row) for row in page], has_more=has_more)


@router.get("/{export_id}", responses=documented(404))
async def get_export(export_id: str, caller: By, services: Parts) -> Export:
    """One of your exports."""
    async with services.database.transaction() as connection:
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


@router.post("/{export_id}/retry", status_code=202, responses=documented(404, 409))
async def retry_export(export_id: str, caller: By, services: Parts) -> Export:
    """Try a failed or cancelled export again; what still stands of it is reused."""
    async with services.database.transaction() as connection:
        return Export.of(await transitions.retry_export(connection, caller.user_id, export_id))


@router.post("/{export_id}/re-export", status_code=202, responses=documented(404, 409))
async def export_again(export_id: str, caller: By, services: Parts) -> Export:
    """Make a new export like one that has ended, from the same revision of its composition."""
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
        if not ExportStatus(row["status"]).ended:
            raise ConflictError(
                f"The export is {row['status']}; it can be made again when it has ended."
            )
        again = await exports.create_export(
            connection,
            NewExport(
                user_id=caller.user_id,
                composition_id=row["composition_id"],
                composition_revision=row["composition_revision"],
                name=row["name"],
                configuration=ExportConfiguration.model_validate(row["config"]),
                intake=IntakeSpec.model_validate(row["intake"]),
                start_s=row["start_s"],
                end_s=row["end_s"],
                priority=row["priority"],
                reexport_of=row["id"],
            ),
        )
    return Export.of(again)


@router.get("/{export_id}/attempts", responses=documented(404))
async def list_attempts(
    export_id: str,
    caller: By,
    services: Parts,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
) -> Attempts:
    """What was tried for an export, newest first: where it spent its time, and what failed."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, caller.user_id, export_id)
        rows = await exports.list_attempts(connection, export_id, limit=limit)
    return Attempts(
        attempts=[Attempt(**{name: row[name] for name in Attempt.model_fields}) for row in rows]
    )
