"""``/v1/exports/{id}/events`` and its like: live progress as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from coordinator.api.auth import By
from coordinator.api.problems import documented
from coordinator.api.services import Parts, Services
from coordinator.api.streams import (
    Messages,
    NothingToCome,
    Place,
    open_batch,
    open_export,
    open_user,
    read_place,
)

router: Final = APIRouter(tags=["events"])

_ENDS: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "It has ended, and you have been told of it."},
    **documented(401, 404, 422, 503),
}


def install(app: FastAPI) -> None:
    """Tell clients that have seen everything not to come again (HTML, section 9.2.3)."""

    async def answer(_request: Request, _exc: Exception) -> Response:
        return Response(status_code=204)

    app.add_exception_handler(NothingToCome, answer)


async def _place(
    last_event_id: Annotated[
        str | None, Header(description="The last event that you have; what came later follows.")
    ] = None,
    last_event_id_query: Annotated[
        str | None,
        Query(alias="last_event_id", description="The same, for who cannot send headers."),
    ] = None,
) -> Place | None:
    return read_place(last_event_id or last_event_id_query)


Resumed = Annotated[Place | None, Depends(_place)]

# A route that streams has begun its answer when its body runs, so what can fail is in these.


async def _export(export_id: str, caller: By, services: Parts, place: Resumed) -> Messages:
    return await open_export(services, caller.user_id, export_id, place)


async def _batch(batch_id: str, caller: By, services: Parts, place: Resumed) -> Messages:
    return await open_batch(services, caller.user_id, batch_id, place)


async def _user(caller: By, services: Parts, place: Resumed) -> Messages:
    return await open_user(services, caller.user_id, place)


@router.get(
    "/exports/{export_id}/events",
    response_class=EventSourceResponse,
    responses=_ENDS,
)
async def watch_export(
    messages: Annotated[Messages, Depends(_export)], services: Parts
) -> AsyncIterator[ServerSentEvent]:
    """Live progress of one export: events `progress` and `status`, until it has ended.

    Reconnect with `Last-Event-ID`, as an EventSource does by itself, and nothing is missed but
    progress that was dropped after a while. A WebSocket at the same address tells the same.
    """
    async for event in _sent(messages, services):
        yield event


@router.get(
    "/batches/{batch_id}/events",
    response_class=EventSourceResponse,
    responses=_ENDS,
)
async def watch_batch(
    messages: Annotated[Messages, Depends(_batch)], services: Parts
) -> AsyncIterator[ServerSentEvent]:
    """Live progress of a batch, until all its exports have ended.

    Events `progress` and `status` tell of one export each, and `batch` of the whole: at the
    beginning, after changes at most once a second, and at the end. Who reconnects with
    `Last-Event-ID` may get changes of the minutes before once more. A WebSocket at the same
    address tells the same.
    """
    async for event in _sent(messages, services):
        yield event


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses=documented(401, 422, 503),
)
async def watch_all(
    messages: Annotated[Messages, Depends(_user)], services: Parts
) -> AsyncIterator[ServerSentEvent]:
    """Live progress of all your exports; it does not end.

    It begins with those that are being made, and `ready` says that what follows is live. Who
    reconnects with `Last-Event-ID` may get changes of the minutes before once more. A WebSocket
    at the same address tells the same.
    """
    async for event in _sent(messages, services):
        yield event


async def _sent(messages: Messages, services: Services) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(retry=services.limits.watch_retry_ms)
    async with aclosing(messages):
        async for message in messages:
            yield ServerSentEvent(id=message.id, event=message.event, raw_data=message.data)
