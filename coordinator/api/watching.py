"""``/v1/exports/{id}/events``: live progress as server-sent events.

A stream begins with what the client has missed (Last-Event-ID) or with how the export stands,
goes on live, and ends after the export has. Ids of one export rise in the order of its changes,
so a client's place is one number.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import TypeAdapter
from starlette.responses import Response

from coordinator.api.auth import By
from coordinator.api.problems import documented
from coordinator.api.services import Parts, Services
from coordinator.database import Row, events, exports
from coordinator.database.events import Event
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

router: Final = APIRouter(prefix="/exports", tags=["exports"])

_PAGE: Final = 500
_AGAIN_S: Final = 0.5
_STATE: Final = (
    "id", "status", "stage", "progress", "reason", "frames_done", "frames", "fps", "eta_s",
    "chunks_done", "chunks", "error_message", "updated_at",
)  # fmt: skip
"""What tell_export() tells."""
_JSON: Final = TypeAdapter(dict[str, Any])


class NothingToCome(Exception):  # noqa: N818  # no error: an EventSource is told to stop
    """The client has seen the end of the export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Where a stream begins."""

    row: Row
    """The export, as it stood when the client came."""
    after: int | None
    """The last event that the client has; None for one that has none."""


def install(app: FastAPI) -> None:
    """Tell clients that have seen everything not to come again (HTML, section 9.2.3)."""

    async def answer(_request: Request, _exc: Exception) -> Response:
        return Response(status_code=204)

    app.add_exception_handler(NothingToCome, answer)


def _event_id(text: str | None) -> int | None:
    """The id that a client sends; None where it is none of ours."""
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) <= 18 else None


async def _watch(
    export_id: str,
    caller: By,
    services: Parts,
    last_event_id: Annotated[
        str | None, Header(description="The last event that you have; what came later follows.")
    ] = None,
    last_event_id_query: Annotated[
        str | None,
        Query(alias="last_event_id", description="The same, for who cannot send headers."),
    ] = None,
) -> Watch:
    # A route that streams has begun its answer when its body runs, so what can fail is here.
    after = _event_id(last_event_id or last_event_id_query)
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
        latest = await events.latest_event(connection, export_id)
    if after is not None and (latest is None or after > latest.id):
        after = None  # not from this database
    elif latest is not None and latest.ended and after == latest.id:
        raise NothingToCome
    return Watch(row=row, after=after)


@router.get(
    "/{export_id}/events",
    response_class=EventSourceResponse,
    responses={
        204: {"description": "The export has ended, and you have its last event."},
        **documented(401, 404, 422, 503),
    },
)
async def watch_export(
    watch: Annotated[Watch, Depends(_watch)], services: Parts
) -> AsyncIterator[ServerSentEvent]:
    """Live progress: events `progress` and `status`, until the export has ended.

    Reconnect with `Last-Event-ID`, as an EventSource does by itself, and nothing is missed but
    progress that was dropped after a while.
    """
    yield ServerSentEvent(retry=services.limits.watch_retry_ms)
    position = watch.after
    with services.hub.subscribe(watch.row["id"]) as subscription:
        subscription.make_stale()  # begins with what the database has
        while True:
            delivery = await subscription.receive()
            if delivery.over:
                return
            news, whole = list(delivery.events), True
            if delivery.stale:
                try:
                    news, whole = await _read(services, watch.row["id"], position)
                except DatabaseError as exc:
                    _log.warning("watch_unread export=%s error=%s", watch.row["id"], exc)
                    await asyncio.sleep(_AGAIN_S)
                    whole = False
                if whole and position is None and not news:
                    position = 0
                    yield _from_row(watch.row)
            if not whole:
                subscription.make_stale()
            ended = False
            for event in news:
                if position is None or event.id > position:
                    position, ended = event.id, event.ended
                    yield _message(event)
            # An export that was retried goes on after an end.
            if ended and whole:
                return


async def _read(
    services: Services, export_id: str, position: int | None
) -> tuple[list[Event], bool]:
    """What the database has for a client, and whether that is all of it."""
    async with services.database.transaction() as connection:
        if position is None:
            latest = await events.latest_event(connection, export_id)
            return [latest] if latest is not None else [], True
        found = await events.events_after(connection, export_id, position, limit=_PAGE)
    return found, len(found) < _PAGE


def _message(event: Event) -> ServerSentEvent:
    return ServerSentEvent(
        id=str(event.id), event="progress" if event.passing else "status", raw_data=event.data
    )


def _from_row(row: Row) -> ServerSentEvent:
    state = _JSON.dump_python({name: row[name] for name in _STATE}, mode="json")
    return ServerSentEvent(event="status", raw_data=json.dumps(state))
