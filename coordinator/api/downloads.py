"""``/v1/exports/{id}/download``: the finished video, from the bucket or through this process."""

from __future__ import annotations

import unicodedata
from typing import Any, Final
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from coordinator.api.auth import By
from coordinator.api.models import container_of
from coordinator.api.problems import ApiError, documented
from coordinator.api.sending import As, Terms, send_object
from coordinator.api.services import Parts, Services
from coordinator.database import Row, exports
from coordinator.texts import file_name
from shared.codecs import CONTAINERS
from shared.errors import ObjectNotFoundError
from shared.states import ExportStatus

router: Final = APIRouter(prefix="/exports", tags=["exports"])

_TYPES: Final[dict[str, dict[str, str]]] = {facts.media_type: {} for facts in CONTAINERS.values()}
VIDEO_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The video.", "content": _TYPES},
    206: {"description": "The part that the Range header asks for.", "content": _TYPES},
    304: {"description": "You have it already."},
    307: {"description": "Where the video is, for a while: in the object store."},
}
_ODD: Final = frozenset('<>:"/\\|?*')
"""What the file names of one system or another cannot hold."""


@router.head("/{export_id}/download", include_in_schema=False)
@router.get(
    "/{export_id}/download",
    response_class=Response,
    responses={**VIDEO_RESPONSES, **documented(401, 404, 409, 410, 416, 422, 503)},
)
async def download(export_id: str, terms: As, caller: By, services: Parts) -> Response:
    """The finished video: the bytes, or the address in the object store where they are."""
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
    return await send_video(row, terms, services, valid_s=services.limits.link_valid_s)


async def send_video(
    row: Row, terms: Terms, services: Services, *, valid_s: int, is_inline: bool = False
) -> Response:
    """An export's video: the bytes, or a redirect to where they are in the object store.

    Args:
        row: The export.
        terms: What the request wants of it.
        services: The parts of this API process.
        valid_s: How long that place in the store can be reached.
        is_inline: Whether a browser plays it; else it saves it.

    Raises:
        ApiError: There is no video, not yet (409) or no more (410), or the part that is wanted
            lies outside (416).
    """
    key = result_key(row)
    store = services.store
    container = container_of(row["config"])
    media_type = CONTAINERS[container].media_type
    name = download_name(row["name"], container)
    try:
        await to_thread.run_sync(store.stat, key)
        if not terms.is_head:  # an address that is signed for GET refuses HEAD
            link = await to_thread.run_sync(
                lambda: store.link(
                    key,
                    file_name=name,
                    content_type=media_type,
                    valid_s=valid_s,
                    is_inline=is_inline,
                )
            )
            if link is not None:
                return RedirectResponse(link, 307, {"Cache-Control": "no-store"})
        return await send_object(
            store,
            key,
            terms,
            media_type=media_type,
            etag=f'"{row["sha256"]}"',
            cache_control="private, no-cache",
            headers={"Content-Disposition": disposition(name, is_inline=is_inline)},
        )
    except ObjectNotFoundError as exc:
        raise ApiError(
            410,
            "The video is not in the object store any more. Export it again (re-export).",
            code="result_lost",
        ) from exc


def result_key(row: Row) -> str:
    """Where an export's video is.

    Raises:
        ApiError: It has none: not yet (409), or no more (410).
    """
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


def download_name(export_name: str, suffix: str) -> str:
    """The name of a downloaded file: an export's name as every system takes it, and a suffix."""
    plain = "".join("_" if sign in _ODD else sign for sign in export_name)
    stem = file_name(plain, "video").rstrip(". ")[:180]
    return f"{stem or 'video'}.{suffix}"


def disposition(name: str, *, is_inline: bool = False) -> str:
    """The Content-Disposition of a file, for old clients too (RFC 6266, RFC 5987)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = plain.replace('"', "_").replace("\\", "_").strip()
    if plain == "" or plain.startswith("."):
        plain = f"video{plain}"
    kind = "inline" if is_inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
