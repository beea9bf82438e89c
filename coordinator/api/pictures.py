"""``/v1/exports/{id}/poster`` and ``…/latest``: what a video looks like, done or not."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from coordinator.api.auth import By
from coordinator.api.downloads import result_key
from coordinator.api.previews import PICTURE_RESPONSES, keyed, show
from coordinator.api.problems import ApiError, documented
from coordinator.api.sending import As, send_object
from coordinator.api.services import Parts
from coordinator.database import exports, pictures
from shared.errors import ObjectNotFoundError
from shared.preview import ImageFormat, PreviewSpec

router: Final = APIRouter(prefix="/exports", tags=["exports"])


@router.get(
    "/{export_id}/poster",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": {"image/jpeg": {}}},
        304: {"description": "You have it already."},
        **documented(401, 404, 409, 410, 422, 503),
    },
)
async def get_poster(export_id: str, terms: As, caller: By, services: Parts) -> Response:
    """The frame that stands for a finished video, as JPEG in the video's own size."""
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, caller.user_id, export_id)
    result_key(row)  # says why there is none yet, or none any more
    if row["poster_key"] is None:
        raise ApiError(404, "This export has no poster: it has no picture.", code="no_poster")
    try:
        return await send_object(
            services.store,
            row["poster_key"],
            terms,
            media_type="image/jpeg",
            etag=f'"{row["sha256"]}-poster"',
            cache_control="private, max-age=3600",
        )
    except ObjectNotFoundError as exc:
        raise ApiError(
            410,
            "The poster is not in the object store any more. Export it again (re-export).",
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
