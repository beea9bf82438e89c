"""Answers in JSON, packed by gzip for who takes that: a page of a list is a tenth of its size then.

Everything else that is large, such as videos and pictures, is packed already.
"""

from __future__ import annotations

import gzip
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST: Final = 1024
"""Fewer bytes fit into a packet or two anyhow."""
_MOST: Final = 256 << 10
"""More would hold up other requests for milliseconds; programs ask for that, over fast networks."""
_LEVEL: Final = 4


class Packed:
    """Middleware that packs what is sent in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        """Pack what an application answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        accepted = Headers(scope=scope).get("accept-encoding", "") if _may_pack(scope) else ""
        if "gzip" not in accepted:
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def pack(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_json(message):
                held = message
                return
            if held is not None:
                start, message = _packed(held, message)
                held = None
                await send(start)
            await send(message)

        await self._app(scope, receive, pack)


def _may_pack(scope: Scope) -> bool:
    return (scope["type"], scope.get("method")) in (("http", "GET"), ("http", "POST"))


def _is_json(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return headers.get("content-type") == "application/json" and "content-encoding" not in headers


def _packed(start: Message, body: Message) -> tuple[Message, Message]:
    """An answer as it is to be sent: its beginning and its body."""
    headers = MutableHeaders(raw=[*start["headers"]])
    headers.add_vary_header("Accept-Encoding")
    data = body.get("body", b"")
    if not body.get("more_body", False) and _LEAST <= len(data) <= _MOST:
        data = gzip.compress(data, _LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(data))
    return {**start, "headers": headers.raw}, {**body, "body": data}
