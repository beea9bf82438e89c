"""Sending stored objects: whole, in parts, or not at all where the client has them already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Final

from anyio import to_thread
from fastapi import Depends, Header, Request
from starlette.responses import Response, StreamingResponse

from coordinator.api.byte_ranges import wanted_bytes
from coordinator.api.problems import ApiError
from shared.errors import InputError
from shared.storage import ObjectStore

_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a request's headers say about what it wants of an object."""

    is_head: bool
    """Whether the headers of the answer are enough."""
    byte_range: str | None
    """``bytes=FIRST-LAST``."""
    if_range: str | None
    """The part only if the object is still that one."""
    if_none_match: str | None
    """ETags of what the client has."""

    def has(self, etag: str) -> bool:
        """Whether the client has that object already (RFC 9110, section 13.1.2)."""
        if self.if_none_match is None:
            return False
        given = [each.strip().removeprefix("W/") for each in self.if_none_match.split(",")]
        return etag in given or given == ["*"]


async def _terms(
    request: Request,
    byte_range: Annotated[
        str | None, Header(alias="Range", description="`bytes=FIRST-LAST`: only a part.")
    ] = None,
    if_range: Annotated[
        str | None, Header(description="An ETag: the part only if it is still that one.")
    ] = None,
    if_none_match: Annotated[
        str | None, Header(description="ETags: nothing (304) if it is still one of these.")
    ] = None,
) -> Terms:
    return Terms(
        is_head=request.method == "HEAD",
        byte_range=byte_range,
        if_range=if_range,
        if_none_match=if_none_match,
    )


As = Annotated[Terms, Depends(_terms)]
"""A route's parameter: what its request wants of an object."""


def unchanged(etag: str, cache_control: str) -> Response:
    """The answer to a client that has the object already."""
    return Response(None, 304, {"ETag": etag, "Cache-Control": cache_control})


async def send_object(
    store: ObjectStore,
    key: str,
    terms: Terms,
    *,
    media_type: str,
    etag: str,
    cache_control: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An object through this process.

    Args:
        store: Where it is.
        key: Its key.
        terms: What the request wants of it.
        media_type: What it is.
        etag: In quotes; of its bytes.
        cache_control: How long a client may keep it.
        headers: Sent beside the usual ones.

    Raises:
        ObjectNotFoundError: It is not there.
        ApiError: The part that is wanted lies outside (416).
    """
    if terms.has(etag):
        return unchanged(etag, cache_control)
    size_bytes = (await to_thread.run_sync(store.stat, key)).size_bytes
    told = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    wanted = None
    if terms.if_range is None or terms.if_range == etag:
        try:
            wanted = wanted_bytes(terms.byte_range, size_bytes)
        except InputError as exc:
            raise ApiError(
                416, exc.message, headers={"Content-Range": f"bytes */{size_bytes}"}
            ) from exc
    start, stop = wanted or (0, size_bytes)
    told["Content-Length"] = str(stop - start)
    if wanted is not None:
        told["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    status = 200 if wanted is None else 206
    if terms.is_head:
        return Response(None, status, told, media_type)
    return StreamingResponse(_blocks(store, key, start, stop), status, told, media_type)


async def _blocks(store: ObjectStore, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
    with ExitStack() as stack:
        opened = ExitStack()
        file = await to_thread.run_sync(
            lambda: opened.enter_context(store.reader(key, start, stop))
        )
        stack.callback(opened.close)
        left = stop - start
        while left > 0:
            block = await to_thread.run_sync(file.read, min(_BLOCK_BYTES, left))
            if not block:
                return
            left -= len(block)
            yield block
