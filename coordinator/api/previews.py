"""``/v1/previews``: what a video will look like, before it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse, Response

from coordinator.api.accepting import usable_assets
from coordinator.api.auth import By
from coordinator.api.branding import find_branding, settle
from coordinator.api.known_keys import Caller
from coordinator.api.problems import ApiError, documented, field_error
from coordinator.api.requests import (
    LONGEST_SONG_S,
    PresetName,
    StorableBranding,
    TemplateText,
    changed,
)
from coordinator.api.sending import As, Terms, send_object, unchanged
from coordinator.api.services import Parts, Services
from coordinator.database import Row, compositions, pictures, previews
from coordinator.documents import CompositionDocument, intake_spec
from shared.errors import ObjectNotFoundError
from shared.export import ExportConfiguration
from shared.keys import content_key, preview_key
from shared.presets import find_preset
from shared.preview import ImageFormat, PreviewSpec
from shared.revision import revision

router: Final = APIRouter(tags=["previews"])

SUFFIXES: Final[dict[str, str]] = {"png": "png", "jpeg": "jpg", "webp": "webp"}
PICTURE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}, "video/mp4": {}},
    },
    202: {"description": "It is not there yet: ask `Location` for it.", "content": {}},
    304: {"description": "You have it already."},
}
_FOR_EVER: Final = "private, max-age=21600, immutable"
"""A preview never changes; it is kept for six hours (coordinator.database.previews)."""


class PreviewRequest(BaseModel):
    """A look at a composition."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"composition_id": "cmp_0a1b…", "preset": "tiktok_vertical", "at_s": 12},
                {"composition_id": "cmp_0a1b…", "kind": "clip", "at_s": 30, "width": 480},
            ]
        },
    )

    composition_id: str = Field(max_length=60, description="What is drawn and heard.")
    revision: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Which revision; the newest without it."
    )
    kind: Literal["still", "sheet", "clip"] = Field(
        default="still",
        description="One frame; a contact sheet of several; a short video.",
    )
    preset: PresetName | None = Field(
        default=None, description="As it will look in a preset; youtube_1080p without a config."
    )
    config: ExportConfiguration | None = Field(
        default=None, description="As it will look with output settings of one's own."
    )
    template: TemplateText | None = Field(default=None, description="Branding by its name.")
    branding: StorableBranding | None = Field(
        default=None, description="Watermark and end card; outranks the others."
    )
    start_s: float = Field(
        default=0.0, ge=0, le=LONGEST_SONG_S, description="Song time at which the video begins."
    )
    end_s: float | None = Field(
        default=None, gt=0, le=LONGEST_SONG_S, description="Song time at which it ends."
    )
    at_s: float = Field(
        default=0.0,
        ge=0,
        le=LONGEST_SONG_S,
        description="Video time of a still, or where a clip begins.",
    )
    width: int = Field(
        default=640, ge=16, le=3840, description="Pixels per row of what comes out, at most."
    )
    image_format: ImageFormat = Field(default="png", description="Of a still or a sheet.")

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.preset is not None and self.config is not None:
            raise ValueError("give either a preset or a config")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"the range must end after its start at {self.start_s:g} s")
        return self


class Preview(BaseModel):
    """How a preview stands."""

    id: str = Field(description="Its id.", examples=["prv_30c9…"])
    kind: str = Field(description="still, sheet, clip or latest.")
    status: Literal["pending", "ready", "failed"] = Field(description="Where it stands.")
    reason: str | None = Field(description="Why it failed.")
    image_url: str | None = Field(description="Where it is, once it is ready.")
    media_type: str | None = Field(description="What it is called over HTTP.")
    width: int | None = Field(description="Pixels per row.")
    height: int | None = Field(description="Rows.")
    size_bytes: int | None = Field(description="Its length.")
    sha256: str | None = Field(description="Hash of its bytes.")
    warnings: list[str] = Field(description="What may not be as you expect.")
    created_at: datetime = Field(description="When it was asked for.")
    expires_at: datetime = Field(description="Until when it can be had.")

    @classmethod
    def of(cls, row: Row) -> Self:
        """A preview from its row."""
        made = {
            "kind": row["spec"]["kind"],
            "image_url": image_path(row["id"]) if row["status"] == "ready" else None,
        }
        return cls(**{name: row[name] for name in cls.model_fields if name not in made}, **made)


def image_path(preview_id: str) -> str:
    """Where a preview is, on this server."""
    return f"/v1/previews/{preview_id}/image"


async def keyed(spec: PreviewSpec) -> PreviewSpec:
    """A preview with its content key: equal ones are made once.

    Args:
        spec: Without a key.
    """
    facts = spec.model_dump(mode="json", exclude={"key"})
    if facts["intake"] is not None:
        del facts["intake"]["names"]  # only messages depend on them
    engine = await to_thread.run_sync(revision)
    suffix = "mp4" if spec.kind == "clip" else SUFFIXES[spec.image_format]
    key = preview_key(content_key({"preview": facts, "engine": engine}), suffix)
    return spec.model_copy(update={"key": key})


async def _spec(request: PreviewRequest, caller: Caller, services: Services) -> PreviewSpec:
    """What a worker is told."""
    async with services.database.transaction() as connection:
        composition = await compositions.get_composition(
            connection, caller.user_id, request.composition_id, request.revision
        )
        document = CompositionDocument.model_validate(composition["document"])
        found = await usable_assets(connection, caller.user_id, [document])
    template = None
    if request.template is not None:
        template = await find_branding(services, caller, request.template)
    configuration = request.config or find_preset(request.preset or "youtube_1080p")
    if configuration.format.picture is None:
        raise field_error("config", "sound alone has no preview")
    settled = await settle(
        services,
        caller,
        [
            ("template", template),
            ("config.branding", configuration.branding),
            ("branding", request.branding),
        ],
    )
    place = "config" if request.config else "branding"
    configuration = changed(place, configuration, branding=settled.branding, too_long=None)
    intake = intake_spec(
        document,
        found | settled.assets,
        branding=settled.told,
        start_s=request.start_s,
        end_s=request.end_s,
        configuration=configuration,
    )
    return await keyed(
        PreviewSpec(
            kind=request.kind,
            intake=intake,
            configuration=configuration,
            at_s=request.at_s,
            width=request.width,
            image_format=request.image_format,
            key="",
        )
    )


@router.post("/previews", status_code=202, responses=documented(401, 403, 404, 409, 422, 503, 507))
async def create_preview(request: PreviewRequest, caller: By, services: Parts) -> Preview:
    """Have a still, a contact sheet or a short clip made; comes before everybody's exports."""
    spec = await _spec(request, caller, services)
    async with services.database.transaction() as connection:
        return Preview.of(await pictures.find_or_create(connection, caller.user_id, spec))


@router.get("/previews/{preview_id}", responses=documented(401, 404, 422, 503))
async def get_preview(preview_id: str, caller: By, services: Parts) -> Preview:
    """How a preview stands."""
    async with services.database.transaction() as connection:
        return Preview.of(await previews.get_preview(connection, caller.user_id, preview_id))


@router.get(
    "/previews/{preview_id}/image",
    response_class=Response,
    responses={**PICTURE_RESPONSES, **documented(401, 404, 409, 410, 422, 503)},
)
async def get_preview_image(preview_id: str, terms: As, caller: By, services: Parts) -> Response:
    """The picture, or the clip; waits for it for some seconds."""
    row = await services.previews.wait(caller.user_id, preview_id, services.limits.preview_wait_s)
    return await send_preview(row, terms, services, cache_control=_FOR_EVER)


@router.get(
    "/compositions/{composition_id}/preview",
    response_class=Response,
    responses={**PICTURE_RESPONSES, **documented(401, 404, 409, 410, 422, 503)},
)
async def preview_composition(
    composition_id: Annotated[str, Path(max_length=60)],
    terms: As,
    caller: By,
    services: Parts,
    revision: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Which revision; the newest without it.")
    ] = None,
    preset: Annotated[PresetName, Query(description="As it will look there.")] = "youtube_1080p",
    template: Annotated[
        TemplateText | None, Query(description="With the branding of a template.")
    ] = None,
    at_s: Annotated[float, Query(ge=0, le=LONGEST_SONG_S, description="Video time.")] = 0.0,
    width: Annotated[int, Query(ge=16, le=3840, description="Pixels per row, at most.")] = 640,
    image_format: Annotated[
        ImageFormat, Query(alias="format", description="Of the image.")
    ] = "png",
) -> Response:
    """A still of a composition at once: for pages that let people look while they choose.

    Its ETag changes with what is drawn: ask with If-None-Match, and an unchanged one is 304.
    """
    request = PreviewRequest(
        composition_id=composition_id,
        revision=revision,
        preset=preset,
        template=template,
        at_s=at_s,
        width=width,
        image_format=image_format,
    )
    spec = await _spec(request, caller, services)
    return await show(spec, terms, caller, services, cache_control="private, no-cache")


async def show(
    spec: PreviewSpec, terms: Terms, caller: Caller, services: Services, *, cache_control: str
) -> Response:
    """A preview's picture, made now if nobody has asked for it before."""
    etag = _etag(spec.key)
    if terms.has(etag):
        return unchanged(etag, cache_control)
    async with services.database.transaction() as connection:
        row = await pictures.find_or_create(connection, caller.user_id, spec)
    if row["status"] == "pending":
        row = await services.previews.wait(
            caller.user_id, row["id"], services.limits.preview_wait_s
        )
    return await send_preview(row, terms, services, cache_control=cache_control)


async def send_preview(
    row: Row, terms: Terms, services: Services, *, cache_control: str
) -> Response:
    """A preview's picture as it stands.

    Raises:
        ApiError: It failed, or its object is gone.
    """
    if row["status"] == "failed":
        raise ApiError(409, str(row["reason"]), code="preview_failed")
    if row["status"] == "pending":
        headers = {
            "Location": image_path(row["id"]),
            "Retry-After": "1",
            "Cache-Control": "no-store",
        }
        return JSONResponse(Preview.of(row).model_dump(mode="json"), 202, headers)
    try:
        return await send_object(
            services.store,
            row["object_key"],
            terms,
            media_type=row["media_type"],
            etag=_etag(row["spec"]["key"]),
            cache_control=cache_control,
        )
    except ObjectNotFoundError as exc:
        raise ApiError(
            410, "The preview is not in the object store any more.", code="result_lost"
        ) from exc


def _etag(key: str) -> str:
    return f'"{key.rpartition("/")[2]}"'
