"""How large the body of a request may be.

FastAPI's own limit answers in plain text; this one with a problem, like every other error.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UPLOADS: Final = "/v1/assets"
"""What a file may have depends on its kind: its receiver counts."""


class BodyLimit:
    """Middleware that refuses to read on beyond the limit."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """Let the application read ``most`` bytes of a body; uploads as many as they like."""
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["path"] == _UPLOADS:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        size_bytes = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        read_bytes = 0

        async def read() -> Message:
            nonlocal read_bytes
            if size_bytes > self._most:
                raise HTTPException(413)
            message = await receive()
            read_bytes += len(message.get("body", b""))
            if read_bytes > self._most:
                raise HTTPException(413)
            return message

        await self._app(scope, read, send)
