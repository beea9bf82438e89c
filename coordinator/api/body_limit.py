"""How large the body of a request may be, and how long it may pause while it arrives.

FastAPI's own limit answers in plain text; this one with a problem, like every other error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Middleware that refuses to read on beyond the limit, or to wait on."""

    def __init__(
        self, app: ASGIApp, most: float, most_at: Mapping[str, float], idle_s: float
    ) -> None:
        """Let the application read a body.

        Args:
            app: What reads it.
            most: How many bytes it may have.
            most_at: The same at certain paths.
            idle_s: How long nothing may come of it.
        """
        self._app = app
        self._most = most
        self._most_at = most_at
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_at.get(scope["path"], self._most)
        declared = Headers(scope=scope).get("content-length", "")
        size_bytes = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        read_bytes = 0
        is_whole = False

        async def read() -> Message:
            nonlocal read_bytes, is_whole
            if size_bytes > most:
                raise HTTPException(413)
            try:
                # What comes after the body is told when the client goes away, however late.
                async with asyncio.timeout(None if is_whole else self._idle_s):
                    message = await receive()
            except TimeoutError:
                # The rest of the body would be read as the next request.
                raise HTTPException(408, headers={"Connection": "close"}) from None
            is_whole = not message.get("more_body", False)
            read_bytes += len(message.get("body", b""))
            if read_bytes > most:
                raise HTTPException(413)
            return message

        await self._app(scope, read, send)
