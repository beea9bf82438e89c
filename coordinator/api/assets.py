"""``/v1/assets``: uploading the files that compositions are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from coordinator.api.auth import By
from coordinator.api.keeping import keep_asset
from coordinator.api.pages import After, Limit, Offset, cut, next_cursor
from coordinator.api.problems import documented
from coordinator.api.services import Parts
from coordinator.api.uploads import received
from coordinator.database import Row, assets, quotas
from coordinator.texts import file_name
from shared.intake import AssetKind

router: Final = APIRouter(prefix="/assets", tags=["assets"], responses=documented(401, 422, 503))

_MOST_USES: Final = 1000
_UNNAMED: Final[dict[AssetKind, str]] = {
    "midi": "song.mid",
    "audio": "recording",
    "image": "image",
    "font": "font",
    "soundfont": "soundfont.sf2",
    "video": "video",
}


class Asset(BaseModel):
    """An uploaded file."""

    id: str = Field(description="Its id, which compositions name.", examples=["ast_5f0c…"])
    kind: AssetKind = Field(description="What it is.")
    name: str = Field(description="The file's name.")
    sha256: str = Field(description="Hash of its bytes.")
    size_bytes: int = Field(description="Its length.")
    status: Literal["pending", "ready", "rejected"] = Field(
        description="`pending` until a worker has looked at it."
    )
    facts: dict[str, Any] | None = Field(
        description="What the worker found in it; the first 500 entries of long lists."
    )
    reason: str | None = Field(description="Why it was rejected.")
    created_at: datetime = Field(description="When it was first uploaded.")


class AssetPage(BaseModel):
    """A page of assets."""

    assets: list[Asset] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")
    next_cursor: str | None = Field(description="The `cursor` of the next page, if there is one.")


class Use(BaseModel):
    """What uses an asset."""

    kind: Literal["composition", "template", "export"] = Field(description="What it is.")
    id: str = Field(description="Its id.")
    name: str = Field(description="What a person calls it.")


class Uses(BaseModel):
    """What uses an asset now."""

    uses: list[Use] = Field(
        description="Compositions and templates as they are today, and exports that have not "
        "ended; 1,000 at most. An asset that nothing uses can be deleted."
    )


def _shown(row: Row) -> Asset:
    return Asset(**{name: row[name] for name in Asset.model_fields})


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": Asset, "description": "You have uploaded the same bytes before."},
        **documented(403, 408, 413, 415, 507),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes of the file, as they are.",
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary", "minLength": 1}
                }
            },
        }
    },
)
async def upload_asset(
    request: Request,
    response: Response,
    caller: By,
    services: Parts,
    kind: Annotated[
        AssetKind | None,
        Query(
            description="What it is to be; found out without it. An MP4 or MOV file with sound is "
            "then a recording, and a GIF an image: say `video` for their moving pictures."
        ),
    ] = None,
    name: Annotated[str, Query(description="The file's name.", max_length=4096)] = "",
) -> Asset:
    """Upload a file as the request's body; the same bytes again give the same asset."""
    limits = services.limits
    async with services.database.transaction() as connection:
        # Told before gigabytes are sent; what the file itself takes is looked at when it is there.
        await quotas.admit_bytes(connection, caller.user_id, 0, limits.quotas)
    async with received(
        request, kind=kind, limits=limits.uploads, folder=limits.upload_folder
    ) as file:
        row, is_new = await keep_asset(
            services,
            caller,
            kind=file.kind,
            name=file_name(name, _UNNAMED[file.kind]),
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            put=lambda key: services.store.put_file(key, file.path),
        )
    services.metrics.uploaded_bytes.inc(file.size_bytes)
    if not is_new:
        response.status_code = 200
    return _shown(row)


@router.get("")
async def list_assets(
    caller: By,
    services: Parts,
    after: After,
    kind: Annotated[AssetKind | None, Query(description="Only those of a kind.")] = None,
    sha256: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f]{64}$",
            description="Only those of these bytes: what is there need not be uploaded.",
        ),
    ] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> AssetPage:
    """What you have uploaded, newest first."""
    async with services.database.transaction() as connection:
        rows = await assets.list_assets(
            connection,
            caller.user_id,
            limit=limit + 1,
            offset=offset,
            kind=kind,
            sha256=sha256,
            before=after,
        )
    page, has_more = cut(rows, limit)
    return AssetPage(
        assets=[_shown(row) for row in page],
        has_more=has_more,
        next_cursor=next_cursor(page, has_more),
    )


@router.get("/{asset_id}", responses=documented(404))
async def get_asset(asset_id: str, caller: By, services: Parts) -> Asset:
    """One of your assets, with what a worker found in it."""
    async with services.database.transaction() as connection:
        return _shown(await assets.get_asset(connection, caller.user_id, asset_id))


@router.get("/{asset_id}/uses", responses=documented(404))
async def list_uses(asset_id: str, caller: By, services: Parts) -> Uses:
    """What uses one of your assets now."""
    async with services.database.transaction() as connection:
        row = await assets.get_asset(connection, caller.user_id, asset_id)
        rows = await assets.list_uses(connection, row, limit=_MOST_USES)
    return Uses(uses=[Use(**row) for row in rows])


@router.delete("/{asset_id}", status_code=204, responses=documented(404, 409))
async def delete_asset(asset_id: str, caller: By, services: Parts) -> None:
    """Delete an asset that nothing uses. Exports that have ended stay, but are not made again."""
    async with services.database.transaction() as connection:
        await assets.delete_asset(connection, caller.user_id, asset_id)
