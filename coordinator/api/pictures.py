"""``/v1/exports/{id}/poster`` and ``…/latest``: what a video looks like, done or not."""

from __future__ import annotations

from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from coordinator.api.auth import By
from coordinator.api.downloads import result_key
from coordinator.api.previews import PICTURE_RESPONSES, keyed, show
from coordinator.api.problems import ApiError, documented
from coordinator.api.scaling import SCALED_RESPONSES, To
from coordinator.api.sending import As, send_object, unchanged
from coordinator.api.services import Parts
from coordinator.database import exports, pictures
from shared.errors import MediaError, ObjectNotFoundError
from shared.preview import ImageFormat, PreviewSpec

router: Final = APIRouter(prefix="/exports", tags=["exports"])

_FOR_EVER: Final = "private, max-age=86400, immutable"
"""An export is completed once: only what failed or was cancelled is tried again."""


@router.get(
    "/{export_id}/poster",
    response_class=Response,
    responses={**SCALED_RESPONSES, **documented(401, 404, 409, 410, 416, 422, 503)},
)
async def get_poster(export_id: str, scale: To, terms: As, caller: By, services: Parts) -> Response:
    """The frame that stands for a finished video, at most 1280 pixels wide."""
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
    result_key(row)  # says why there is none yet, or none any more
    if row["poster_key"] is None:
        raise ApiError(404, "This export has no poster: it has no picture.", code="no_poster")
    etag = scale.etag(f"{row['sha256']}-poster")
    try:
        if scale.is_whole:
            return await send_object(
                services.store,
                row["poster_key"],
                terms,
                media_type="image/jpeg",
                etag=etag,
                cache_control=_FOR_EVER,
            )
        if terms.has(etag):
            return unchanged(etag, _FOR_EVER)
        whole = await to_thread.run_sync(services.store.get_bytes, row["poster_key"])
        return scale.response(await services.scaler.scale(whole, scale), etag, _FOR_EVER)
    except (ObjectNotFoundError, MediaError) as exc:
        raise ApiError(
            410,
            "The poster is not in the object store any more, or damaged. Export it again "
            "(re-export).",
            code="result_lost",
        ) from exc


@router.get(
    "/{export_id}/latest",
    response_class=Response,
    responses={**PICTURE_RESPONSES, **documented(401, 404, 409, 410, 422, 503)},
)
async def get_latest(
    export_id: str,
    terms: As,
    caller: By,
    services: Parts,
    width: Annotated[int, Query(ge=16, le=3840, description="Pixels per row, at most.")] = 640,
    image_format: Annotated[
        ImageFormat, Query(alias="format", description="Of the image.")
    ] = "jpeg",
) -> Response:
    """The last frame of the piece of an export that was finished last, while it renders."""
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
        segment = await pictures.latest_segment(connection, export_id)
    if segment is None:
        raise ApiError(
            409,
            f"The export is {row['status']}; no piece of it is finished yet, or they are gone.",
            code="nothing_finished",
        )
    spec = await keyed(
        PreviewSpec(
            kind="latest", segment_key=segment, width=width, image_format=image_format, key=""
        )
    )
    fresh = f"private, max-age={services.limits.latest_fresh_s}"
    return await show(spec, terms, caller, services, cache_control=fresh)
