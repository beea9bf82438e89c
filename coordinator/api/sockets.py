"""Live progress over a WebSocket (RFC 6455), at the addresses of the server-sent events.

Each message is one JSON text with the ``id``, ``event`` and ``data`` of a server-sent event. What
a client sends is read, so that its pongs and its end are heard, and ignored.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from coordinator.api.auth import COOKIE, cross_site
from coordinator.api.identities import address_of
from coordinator.api.known_keys import Caller
from coordinator.api.origins import is_ours
from coordinator.api.problems import ApiError
from coordinator.api.services import Services
from coordinator.api.streams import (
    Message,
    Messages,
    NothingToCome,
    Place,
    open_batch,
    open_export,
    open_user,
    read_place,
)
from coordinator.tasks import end_tasks

_log = logging.getLogger(__name__)

router: Final = APIRouter()

PROTOCOL: Final = "midifarm.v1"
"""The subprotocol that is spoken."""
_BEARER: Final = "bearer."
"""Before the token in the list of subprotocols, for browsers: they can send nothing else."""
_PATIENCE_S: Final = 60.0
"""A client that takes nothing for so long is gone."""
_DONE, _FAILED, _RESTART = 1000, 1011, 1012
"""RFC 6455, section 7.4, and IANA's registry: the end; an error in here; come again."""

Open = Callable[[Services, str, Place | None], Awaitable[Messages]]


@router.websocket("/exports/{export_id}/events")
async def export_socket(websocket: WebSocket, export_id: str) -> None:
    """Live progress of one export."""

    def of_export(services: Services, user_id: str, place: Place | None) -> Awaitable[Messages]:
        return open_export(services, user_id, export_id, place)

    await _serve(websocket, of_export)


@router.websocket("/batches/{batch_id}/events")
async def batch_socket(websocket: WebSocket, batch_id: str) -> None:
    """Live progress of a batch."""

    def of_batch(services: Services, user_id: str, place: Place | None) -> Awaitable[Messages]:
        return open_batch(services, user_id, batch_id, place)

    await _serve(websocket, of_batch)


@router.websocket("/events")
async def user_socket(websocket: WebSocket) -> None:
    """Live progress of all exports of the caller's."""
    await _serve(websocket, open_user)


async def caller_of_websocket(websocket: WebSocket, services: Services) -> Caller:
    """Who opens a WebSocket: by a header, by a subprotocol, or by the cookie of our own page.

    Raises:
        ApiError: Nobody, or nobody who is known; see Identities.caller_of().
        DatabaseError: PostgreSQL cannot say.
    """
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        offered = (name for name in websocket.scope["subprotocols"] if name.startswith(_BEARER))
        token = next(offered, "").removeprefix(_BEARER)
    if not token.strip() and COOKIE in websocket.cookies:
        token = websocket.cookies[COOKIE]
        # Whoever opens a WebSocket, its request looks like one that reads; see ``origins``.
        if not is_ours("CONNECT", websocket.headers):
            raise cross_site()
    if not token.strip():
        raise ApiError(
            401,
            "This needs an API key or a token of your identity provider's: send the header "
            f"Authorization: Bearer …, or offer the subprotocols {PROTOCOL} and {_BEARER}….",
            headers={"WWW-Authenticate": 'Bearer realm="midifarm"'},
        )
    return await services.identities.caller_of(token.strip(), address_of(websocket))


async def _serve(websocket: WebSocket, open_stream: Open) -> None:
    services: Services = websocket.app.state.services
    # What is raised before it is accepted is answered over HTTP, as a problem.
    caller = await caller_of_websocket(websocket, services)
    place = read_place(websocket.query_params.get("last_event_id"))
    try:
        messages = await open_stream(services, caller.user_id, place)
    except NothingToCome:
        messages = _nothing()
    is_offered = PROTOCOL in websocket.scope["subprotocols"]
    with suppress(WebSocketDisconnect):
        await websocket.accept(subprotocol=PROTOCOL if is_offered else None)
        code = await _send_while_heard(websocket, messages)
        if code is not None:
            await websocket.close(_RESTART if services.hub.over else code)


async def _send_while_heard(websocket: WebSocket, messages: Messages) -> int | None:
    """Send until the stream ends or the client is gone; the code to close with, if it is there."""
    sending = asyncio.create_task(_send(websocket, messages))
    hearing = asyncio.create_task(_hear(websocket))
    try:
        await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks([sending, hearing])
    if not sending.cancelled() and (failure := sending.exception()) is not None:
        if isinstance(failure, WebSocketDisconnect | TimeoutError):
            return None
        _log.error("socket_failed path=%s", websocket.url.path, exc_info=failure)
        return _FAILED
    return None if sending.cancelled() else _DONE


async def _send(websocket: WebSocket, messages: Messages) -> None:
    async with aclosing(messages):
        async for message in messages:
            async with asyncio.timeout(_PATIENCE_S):
                await websocket.send_text(_text(message))


async def _hear(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def _text(message: Message) -> str:
    head = json.dumps({"id": message.id, "event": message.event})
    return f'{head[:-1]}, "data": {message.data}}}'


async def _nothing() -> Messages:
    return
    yield
