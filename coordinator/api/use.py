"""``/v1/use`` and what each export and batch took: slot-seconds, frames, bytes, and their price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from coordinator.api.auth import By, ByOperator
from coordinator.api.pages import Offset, cut
from coordinator.api.problems import documented, field_error
from coordinator.api.services import Parts, Services
from coordinator.api.sheets import MEDIA_TYPE, as_csv
from coordinator.database import Row, batches, exports, use
from coordinator.database.use import Scope
from coordinator.texts import Day
from coordinator.threads import beside

router: Final = APIRouter(tags=["use"], responses=documented(401, 422, 503))

_LATELY: Final = timedelta(days=29)
"""A month, with today."""
_MOST_LINES: Final = 100_000
"""Of a table; whoever wants more asks for fewer days."""

Most = Annotated[int, Query(ge=1, le=1000, description="Entries at most; a table has them all.")]
OwnBy = Annotated[
    Literal["day", "export", "batch", "pool", "kind"], Query(description="What is added up.")
]
PartBy = Annotated[Literal["kind", "day", "pool"], Query(description="What is added up.")]


class FarmUse(BaseModel):
    """What work took."""

    attempts: int = Field(description="Attempts that have ended.")
    slot_s: float = Field(
        description="Seconds that they had a slot; previews take none. The sum of the next five."
    )
    useful_s: float = Field(description="Of these, with a result that was of use.")
    failed_s: float = Field(description="In attempts that failed by what they were at.")
    duplicate_s: float = Field(
        description="In attempts beside another one of the same that was first, or after it."
    )
    lost_s: float = Field(
        description="In attempts that were lost with their node or their dispatcher, or failed "
        "since the storage did."
    )
    cancelled_s: float = Field(description="In attempts that were stopped: nobody wanted them.")
    frames: int = Field(description="Frames of use that were drawn.")
    frames_wasted: int = Field(description="Frames that were drawn in vain.")
    frames_found: int = Field(description="Frames that were found in the store, and not drawn.")
    stored_bytes: int = Field(description="Bytes of segments, sounds and results that were kept.")
    cost: float | None = Field(
        description="Price of the slot-seconds in the operator's currency; null: he has set none."
    )

    @classmethod
    def of(cls, row: Row | None, *, is_priced: bool, **more: Any) -> Any:
        """Use from what the database adds up; zeros where there was none."""
        found = dict(row or {})
        values = {name: found.get(name) or 0 for name in FarmUse.model_fields}
        for name in ("slot_s", "useful_s", "failed_s", "duplicate_s", "lost_s", "cancelled_s"):
            values[name] = round(values[name], 3)
        values["cost"] = round(values["cost"], 6) if is_priced else None
        return cls(**values, **more)


class FarmUseEntry(FarmUse):
    """What the work for one thing took."""

    about: str | None = Field(
        description="The day, the id of the export or batch, the user, the pool or the kind of "
        "work; null: none, as with previews and uploads."
    )
    name: str | None = Field(description="What the export or batch is called, if it is there.")


class FarmUseReport(BaseModel):
    """What work took, added up by something."""

    by: str = Field(description="What is added up by: day, export, batch, user, pool or kind.")
    first_day: date | None = Field(description="The first day (UTC) counted; null: any.")
    last_day: date | None = Field(description="The last day counted; null: any.")
    total: FarmUse = Field(description="All of it.")
    entries: list[FarmUseEntry] = Field(
        description="The one with the most slot-seconds before; days in their order."
    )
    has_more: bool = Field(description="Whether there are more entries.")


class Days(NamedTuple):
    """The days that are asked for."""

    first: date
    last: date


async def _days(
    first_day: Annotated[
        Day | None, Query(alias="from", description="First day, in UTC; 29 days ago without it.")
    ] = None,
    last_day: Annotated[
        Day | None, Query(alias="to", description="Last day; today without it.")
    ] = None,
) -> Days:
    last = last_day or datetime.now(UTC).date()
    first = first_day or max(last, date.min + _LATELY) - _LATELY
    if first > last:
        raise field_error("from", "the first day is after the last one")
    return Days(first, last)


async def _wants_csv(
    form: Annotated[
        Literal["json", "csv"] | None,
        Query(alias="format", description="How it is written; as `Accept` says without it."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> bool:
    return form == "csv" if form is not None else accept.split(";")[0].strip() == "text/csv"


AsCsv = Annotated[bool, Depends(_wants_csv)]
Between = Annotated[Days, Depends(_days)]
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "What it took; with `format=csv`, a line for each entry.",
        "model": FarmUseReport,
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


@router.get("/use", response_class=Response, responses=_ANSWERS)
async def get_use(
    caller: By,
    services: Parts,
    days: Between,
    csv: AsCsv,
    by: OwnBy = "day",
    limit: Most = 100,
    offset: Offset = 0,
) -> Response:
    """What your exports, previews and uploads took on the farm, by day or by something else."""
    scope = Scope(user_id=caller.user_id, first_day=days.first, last_day=days.last)
    return await _report(services, scope, by, csv=csv, limit=limit, offset=offset)


@router.get(
    "/exports/{export_id}/use", response_class=Response, responses=_ANSWERS | documented(404)
)
async def get_export_use(
    export_id: str, caller: By, services: Parts, csv: AsCsv, by: PartBy = "kind"
) -> Response:
    """What an export took so far, by kind of work; what was tried again is in it."""
    async with services.database.reading() as connection:
        await exports.get_export(connection, caller.user_id, export_id)
    return await _report(services, Scope(export_id=export_id), by, csv=csv)


@router.get(
    "/batches/{batch_id}/use", response_class=Response, responses=_ANSWERS | documented(404)
)
async def get_batch_use(
    batch_id: str,
    caller: By,
    services: Parts,
    csv: AsCsv,
    by: OwnBy = "export",
    limit: Most = 100,
    offset: Offset = 0,
) -> Response:
    """What the exports of a batch took so far, each of them or otherwise."""
    async with services.database.reading() as connection:
        await batches.batch_state(connection, caller.user_id, batch_id)
    scope = Scope(batch_id=batch_id)
    return await _report(services, scope, by, csv=csv, limit=limit, offset=offset)


@router.get(
    "/farm/use", tags=["farm"], response_class=Response, responses=_ANSWERS | documented(403)
)
async def get_farm_use(
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    days: Between,
    csv: AsCsv,
    by: Annotated[use.By, Query(description="What is added up.")] = "user",
    user_id: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Only that of a user.")
    ] = None,
    limit: Most = 100,
    offset: Offset = 0,
) -> Response:
    """What everybody's work took on the farm."""
    scope = Scope(user_id=user_id, first_day=days.first, last_day=days.last)
    return await _report(services, scope, by, csv=csv, limit=limit, offset=offset)


async def _report(
    services: Services, scope: Scope, by: use.By, *, csv: bool, limit: int = 1000, offset: int = 0
) -> Response:
    most = _MOST_LINES if csv else limit
    start = 0 if csv else offset
    async with services.database.reading() as connection:
        prices = services.slot_prices
        rows = await use.list_use(connection, scope, by, prices, limit=most + 1, offset=start)
        total = None if csv else await use.list_use(connection, scope, None, prices)
    page, has_more = cut(rows, most)
    if csv and has_more:
        raise field_error("from", f"there are more than {_MOST_LINES} lines; ask for fewer days")
    entries: list[FarmUseEntry] = await beside(len(page), _entries, page, bool(prices))
    if csv:
        text = await beside(len(page), _table, entries)
        name = f'attachment; filename="use-by-{by}.csv"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store", "Vary": "Accept"}
        return Response(text, 200, headers, MEDIA_TYPE)
    is_bounded = scope.first_day != date.min
    report = FarmUseReport(
        by=by,
        first_day=scope.first_day if is_bounded else None,
        last_day=scope.last_day if is_bounded else None,
        total=FarmUse.of(total[0] if total else None, is_priced=bool(prices)),
        entries=entries,
        has_more=has_more,
    )
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    return Response(report.model_dump_json(), 200, headers, "application/json")


def _entries(rows: Sequence[Row], is_priced: bool) -> list[FarmUseEntry]:
    return [
        FarmUseEntry.of(row, is_priced=is_priced, about=row["about"], name=row["name"])
        for row in rows
    ]


def _table(entries: Sequence[FarmUseEntry]) -> str:
    columns = ("about", "name", *FarmUse.model_fields)
    return as_csv([columns, *([getattr(each, name) for name in columns] for each in entries)])
