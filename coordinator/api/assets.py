"""``/v1/assets``: uploading the files that compositions are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from coordinator.api.auth import By
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import documented
from coordinator.api.services import Parts
from coordinator.api.uploads import Received, received
from coordinator.database import Row, assets
from coordinator.texts import file_name
from shared.intake import AssetKind
from shared.keys import asset_key
from shared.storage import ObjectStore

router: Final = APIRouter(prefix="/assets", tags=["assets"], responses=documented(401, 422, 503))

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
    facts: dict[str, Any] | None = Field(description="What the worker found in it.")
    reason: str | None = Field(description="Why it was rejected.")
    created_at: datetime = Field(description="When it was first uploaded.")


class AssetPage(BaseModel):
    """A page of assets."""

    assets: list[Asset] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")


def _shown(row: Row) -> Asset:
    return Asset(**{name: row[name] for name in Asset.model_fields})


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": Asset, "description": "You have uploaded the same bytes before."},
        **documented(413, 415, 507),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes of the file, as they are.",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
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
    async with received(
        request, kind=kind, limits=limits.uploads, folder=limits.upload_folder
    ) as file:
        # The object first: a row without its bytes would be a promise that nobody can keep.
        await to_thread.run_sync(_keep, services.store, file)
        async with services.database.transaction() as connection:
            row, is_new = await assets.add_asset(
                connection,
                user_id=caller.user_id,
                kind=file.kind,
                name=file_name(name, _UNNAMED[file.kind]),
                sha256=file.sha256,
                size_bytes=file.size_bytes,
            )
    if not is_new:
        response.status_code = 200
    return _shown(row)


def _keep(store: ObjectStore, file: Received) -> None:
    key = asset_key(file.sha256)
    if not store.exists(key):
        store.put_file(key, file.path)


@router.get("")
async def list_assets(
    caller: By,
    services: Parts,
    kind: Annotated[AssetKind | None, Query(description="Only those of a kind.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> AssetPage:
    """What you have uploaded, newest first."""
    async with services.database.transaction() as connection:
        rows = await assets.list_assets(
            connection, caller.user_id, limit=limit + 1, offset=offset, kind=kind
        )
    page, has_more = cut(rows, limit)
    return AssetPage(assets=[_shown(row) for row in page], has_more=has_more)


@router.get("/{asset_id}", responses=documented(404))
async def get_asset(asset_id: str, caller: By, services: Parts) -> Asset:
    """One of your assets, with what a worker found in it."""
    async with services.database.transaction() as connection:
        return _shown(await assets.get_asset(connection, caller.user_id, asset_id))
