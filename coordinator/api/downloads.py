"""``/v1/exports/{id}/download``: the finished video, from the bucket or through this process."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Final
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from coordinator.api.auth import By
from coordinator.api.byte_ranges import wanted_bytes
from coordinator.api.problems import ApiError, documented
from coordinator.api.services import Parts
from coordinator.database import Row, exports
from coordinator.texts import file_name
from shared.errors import InputError, ObjectNotFoundError
from shared.states import ExportStatus
from shared.storage import ObjectStore

router: Final = APIRouter(prefix="/exports", tags=["exports"])

_TYPE: Final = "video/mp4"
_BLOCK_BYTES: Final = 1 << 20
_ODD: Final = frozenset('<>:"/\\|?*')
"""What the file names of one system or another cannot hold."""


@router.head("/{export_id}/download", include_in_schema=False)
@router.get(
    "/{export_id}/download",
    response_class=Response,
    responses={
        200: {"description": "The video.", "content": {_TYPE: {}}},
        206: {"description": "The part that the Range header asks for.", "content": {_TYPE: {}}},
        307: {"description": "Where the video is, for a while: in the object store."},
        **documented(401, 404, 409, 410, 416, 422, 503),
    },
)
async def download(
    export_id: str,
    request: Request,
    caller: By,
    services: Parts,
    byte_range: Annotated[
        str | None, Header(alias="Range", description="`bytes=FIRST-LAST`: only a part.")
    ] = None,
    if_range: Annotated[
        str | None, Header(description="An ETag: the part only if the video is still that one.")
    ] = None,
) -> Response:
    """The finished video: the bytes, or the address in the object store where they are."""
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
    key = _result_key(row)
    store = services.store
    try:
        info = await to_thread.run_sync(store.stat, key)
    except ObjectNotFoundError as exc:
        raise ApiError(
            410,
            "The video is not in the object store any more. Export it again (re-export).",
            code="result_lost",
        ) from exc
    name = video_name(row["name"])
    if request.method != "HEAD":  # an address that is signed for GET refuses HEAD
        link = await to_thread.run_sync(
            lambda: store.link(
                key,
                file_name=name,
                content_type=_TYPE,
                valid_s=services.limits.link_valid_s,
            )
        )
        if link is not None:
            return RedirectResponse(link, 307, {"Cache-Control": "no-store"})
    etag = f'"{row["sha256"]}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Content-Disposition": disposition(name),
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    size_bytes = info.size_bytes
    wanted = None
    if if_range is None or if_range == etag:
        try:
            wanted = wanted_bytes(byte_range, size_bytes)
        except InputError as exc:
            raise ApiError(
                416, exc.message, headers={"Content-Range": f"bytes */{size_bytes}"}
            ) from exc
    start, stop = wanted or (0, size_bytes)
    headers["Content-Length"] = str(stop - start)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers, _TYPE)
    return StreamingResponse(_blocks(store, key, start, stop), status, headers, _TYPE)


def _result_key(row: Row) -> str:
    if row["status"] != ExportStatus.COMPLETED:
        raise ApiError(
            409,
            f"The export is {row['status']}; it can be downloaded when it is completed.",
            code="not_completed",
        )
    if row["download_url"] is None or row["expired_at"] is not None:
        raise ApiError(
            410,
            "The video has expired and was deleted. Export it again (re-export).",
            code="export_expired",
        )
    return str(row["download_url"])


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


def video_name(export_name: str) -> str:
    """The name of the downloaded file: an export's name as every system takes it, and ``.mp4``."""
    plain = "".join("_" if sign in _ODD else sign for sign in export_name)
    stem = file_name(plain, "video").rstrip(". ")[:180]
    return f"{stem or 'video'}.mp4"


def disposition(name: str) -> str:
    """The Content-Disposition of a download, for old clients too (RFC 6266, RFC 5987)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = plain.replace('"', "_").replace("\\", "_").strip()
    if plain in ("", ".mp4"):
        plain = "video.mp4"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
