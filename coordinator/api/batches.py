"""``/v1/batches``: many exports in one call, how they stand as a whole, and what came of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from coordinator.api.accepting import Asked, prepare
from coordinator.api.auth import By
from coordinator.api.downloads import disposition, download_name
from coordinator.api.idempotency import Once
from coordinator.api.models import container_of, download_path
from coordinator.api.pages import After, Limit, Offset, cut, next_cursor
from coordinator.api.problems import documented
from coordinator.api.requests import BatchRequest
from coordinator.api.services import Parts, Services
from coordinator.api.sheets import MEDIA_TYPE, as_csv
from coordinator.database import Connection, Row, batches, quotas, transitions
from coordinator.threads import beside
from shared.states import ExportStatus

router: Final = APIRouter(prefix="/batches", tags=["batches"], responses=documented(401, 422, 503))

_RESULTS_AT_A_TIME: Final = 500


class Batch(BaseModel):
    """How a batch stands as a whole."""

    id: str = Field(description="Its id.", examples=["bat_31c4…"])
    name: str = Field(description="What a person calls it.")
    total: int = Field(description="Exports of it that were not deleted.")
    counts: dict[ExportStatus, int] = Field(description="How many stand how; every status.")
    progress: float = Field(ge=0, le=1, description="Part of it that has ended, 0 to 1.")
    ended: bool = Field(description="Whether nothing more happens to it by itself.")
    created_at: datetime = Field(description="When it was accepted.")


class BatchPage(BaseModel):
    """A page of batches."""

    batches: list[Batch] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")
    next_cursor: str | None = Field(description="The `cursor` of the next page, if there is one.")


class Result(BaseModel):
    """What came of one export of a batch."""

    export_id: str = Field(description="Its id.")
    name: str = Field(description="What a person calls it.")
    file_name: str = Field(description="What its download is called.")
    composition_id: str = Field(description="What is drawn and heard.")
    composition_revision: int = Field(description="Which revision of it.")
    format: str = Field(description="The name of its preset or configuration.")
    status: ExportStatus = Field(description="Where it stands.")
    error_message: str | None = Field(description="Why it failed.")
    file_size: int | None = Field(description="Bytes of the video.")
    duration_seconds: float | None = Field(description="Length of the video.")
    sha256: str | None = Field(description="Hash of the video.")
    download_url: str | None = Field(description="Where the video is, until it expires.")
    completed_at: datetime | None = Field(description="When it ended.")
    expires_at: datetime | None = Field(description="When the video is deleted.")

    @classmethod
    def of(cls, row: Row) -> Result:
        """A result from an export's row."""
        there = row["status"] == ExportStatus.COMPLETED and row["expired_at"] is None
        made: dict[str, Any] = {
            "export_id": row["id"],
            "file_name": download_name(row["name"], container_of(row["config"])),
            "format": row["config"].get("name", ""),
            "download_url": download_path(row["id"]) if there else None,
        }
        return cls(**{name: row[name] for name in cls.model_fields if name not in made}, **made)


class Manifest(BaseModel):
    """What came of all exports of a batch."""

    batch_id: str = Field(description="Of which batch.")
    results: list[Result] = Field(description="In the order of the request.")


class Changed(BaseModel):
    """How many exports of a batch were changed."""

    exports: int = Field(description="How many.")
    batch: Batch = Field(description="How the batch stands now.")


class RetryRequest(BaseModel):
    """Which exports of a batch are tried again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"statuses": ["failed"]}]}
    )

    statuses: list[Literal["failed", "cancelled"]] = Field(
        default=["failed"], min_length=1, max_length=2, description="Those that stand so."
    )


@router.post("", status_code=202, responses=documented(403, 404, 409, 413, 507))
async def queue_batch(request: BatchRequest, caller: By, services: Parts, once: Once) -> Batch:
    """Queue many exports of many compositions, 10,000 at most: all of them, or none.

    Send an `Idempotency-Key`, and the same request again gives the same batch.
    """
    ready = await prepare(services, caller, await beside(len(request.items), _asked, request))

    async def make(connection: Connection) -> Batch:
        batch_id = await batches.create_batch(connection, caller.user_id, request.name)
        await ready.accept(
            connection, caller.user_id, batch_id=batch_id, defaults=services.limits.quotas
        )
        return Batch(**await batches.batch_state(connection, caller.user_id, batch_id))

    return await once.run(make)


def _asked(request: BatchRequest) -> list[Asked]:
    return [
        Asked(place=f"items.{index}.", item=item) for index, item in enumerate(request.whole_items)
    ]


@router.get("")
async def list_batches(
    caller: By, services: Parts, after: After, limit: Limit = 20, offset: Offset = 0
) -> BatchPage:
    """Your batches, newest first; also those that `POST /v1/exports` has made."""
    async with services.database.transaction() as connection:
        rows = await batches.list_batches(
            connection, caller.user_id, limit=limit + 1, offset=offset, before=after
        )
        page, has_more = cut(rows, limit)
        states = await batches.batch_states(connection, caller.user_id, [row["id"] for row in page])
    return BatchPage(
        batches=[Batch(**state) for state in states],
        has_more=has_more,
        next_cursor=next_cursor(page, has_more),
    )


@router.get("/{batch_id}", responses=documented(404))
async def get_batch(batch_id: str, caller: By, services: Parts) -> Batch:
    """One of your batches; its exports are at `/v1/exports?batch_id=…`."""
    async with services.database.reading() as connection:
        return Batch(**await batches.batch_state(connection, caller.user_id, batch_id))


@router.post("/{batch_id}/cancel", responses=documented(404))
async def cancel_batch(batch_id: str, caller: By, services: Parts) -> Changed:
    """Cancel whatever of a batch has not ended; a second time does no harm."""
    async with services.database.transaction() as connection:
        await batches.batch_state(connection, caller.user_id, batch_id)
        count = await transitions.cancel_batch(connection, caller.user_id, batch_id)
        state = await batches.batch_state(connection, caller.user_id, batch_id)
    return Changed(exports=count, batch=Batch(**state))


@router.post("/{batch_id}/retry", status_code=202, responses=documented(403, 404, 409))
async def retry_batch(
    batch_id: str, request: RetryRequest, caller: By, services: Parts, once: Once
) -> Changed:
    """Try those exports of a batch again that failed, or were cancelled."""

    async def make(connection: Connection) -> Changed:
        before = await batches.batch_state(connection, caller.user_id, batch_id)
        statuses = [ExportStatus(each) for each in request.statuses]
        more = sum(before["counts"][status] for status in statuses)
        await quotas.admit_exports(connection, caller.user_id, more, services.limits.quotas)
        count = await transitions.retry_batch(connection, caller.user_id, batch_id, statuses)
        state = await batches.batch_state(connection, caller.user_id, batch_id)
        return Changed(exports=count, batch=Batch(**state))

    return await once.run(make)


@router.get(
    "/{batch_id}/manifest",
    response_class=Response,
    responses={
        200: {
            "description": "What came of every export.",
            "model": Manifest,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **documented(404),
    },
)
async def get_manifest(
    batch_id: str,
    caller: By,
    services: Parts,
    form: Annotated[
        Literal["json", "csv"], Query(alias="format", description="How it is written.")
    ] = "json",
) -> Response:
    """What came of all exports of a batch, in the order of the request, as one file."""
    async with services.database.transaction() as connection:
        state = await batches.batch_state(connection, caller.user_id, batch_id)
    results = _results(services, caller.user_id, batch_id)
    name = disposition(download_name(state["name"], form))
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    if form == "csv":
        return StreamingResponse(_as_csv(results), 200, headers, MEDIA_TYPE)
    return StreamingResponse(_as_json(batch_id, results), 200, headers, "application/json")


async def _results(
    services: Services, user_id: str, batch_id: str
) -> AsyncIterator[Sequence[Result]]:
    """Some at a time, each in a transaction of its own: a slow reader holds none open."""
    after = None
    while True:
        async with services.database.reading() as connection:
            rows = await batches.list_results(
                connection, user_id, batch_id, after=after, limit=_RESULTS_AT_A_TIME
            )
        yield [Result.of(row) for row in rows]
        if len(rows) < _RESULTS_AT_A_TIME:
            return
        after = rows[-1]["created_at"], rows[-1]["id"]


async def _as_json(batch_id: str, results: AsyncIterator[Sequence[Result]]) -> AsyncIterator[str]:
    yield f'{{"batch_id":{json.dumps(batch_id)},"results":['
    separator = "\n"
    async for some in results:
        for result in some:
            yield separator + result.model_dump_json()
            separator = ",\n"
    yield "\n]}\n"


async def _as_csv(results: AsyncIterator[Sequence[Result]]) -> AsyncIterator[str]:
    yield as_csv([Result.model_fields])
    async for some in results:
        yield as_csv(result.model_dump(mode="json").values() for result in some)
