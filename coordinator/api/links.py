"""``/v1/exports/{id}/links`` and ``/v1/links/{token}``: a finished video for who has no key."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.auth import By
from coordinator.api.downloads import VIDEO_RESPONSES, result_key, send_video
from coordinator.api.idempotency import Once
from coordinator.api.identities import address_of
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import documented
from coordinator.api.sending import As
from coordinator.api.services import Parts
from coordinator.database import Connection, Row, exports, links

router: Final = APIRouter(tags=["links"])

_DAY_S: Final = 86_400
_DISCREET: Final = {
    # The address is the secret: no page that is reached from it is told.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


class LinkRequest(BaseModel):
    """A link that is to be made."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"expires_in_s": 86_400}]}
    )

    expires_in_s: int = Field(
        default=7 * _DAY_S,
        ge=60,
        le=90 * _DAY_S,
        description="How many seconds it works; a week without it, 90 days at most.",
    )


class Link(BaseModel):
    """A link without its address."""

    id: str = Field(description="Its id.", examples=["lnk_4be1…"])
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime = Field(
        description="When it stops working, unless the video is deleted before."
    )


class NewLink(Link):
    """A link that was just made."""

    url: str | None = Field(
        description="Its address on this server, for anybody to open; it is shown this once, and "
        "null if the same request is answered again."
    )


class LinkPage(BaseModel):
    """A page of the links to an export."""

    links: list[Link] = Field(
        description="Newest first; also those that expired less than a day ago."
    )
    has_more: bool = Field(description="Whether there are older ones.")


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Link.model_fields}


@router.post(
    "/exports/{export_id}/links",
    status_code=201,
    responses=documented(401, 404, 409, 410, 422, 503),
)
async def make_link(
    export_id: str,
    caller: By,
    services: Parts,
    once: Once,
    response: Response,
    request: Annotated[LinkRequest | None, Body()] = None,
) -> NewLink:
    """Make a link to a finished video of yours, which plays it to anybody who has it."""
    asked = request or LinkRequest()

    async def make(connection: Connection) -> NewLink:
        row = await exports.get_export(connection, caller.user_id, export_id)
        result_key(row)  # says why there is no video
        token, link = await links.create_link(
            connection, export_id, valid_s=asked.expires_in_s, most=services.limits.links
        )
        return NewLink(url=f"/v1/links/{token}", **_shown(link))

    response.headers["Cache-Control"] = "no-store"
    return await once.run(make, hidden=["url"])


@router.get("/exports/{export_id}/links", responses=documented(401, 404, 422, 503))
async def list_links(
    export_id: str, caller: By, services: Parts, limit: Limit = 20, offset: Offset = 0
) -> LinkPage:
    """The links to an export of yours, newest first; never their addresses."""
    async with services.database.transaction() as connection:
        await exports.get_export(connection, caller.user_id, export_id)
        rows = await links.list_links(connection, export_id, limit=limit + 1, offset=offset)
    page, has_more = cut(rows, limit)
    return LinkPage(links=[Link(**_shown(row)) for row in page], has_more=has_more)


@router.delete(
    "/exports/{export_id}/links/{link_id}",
    status_code=204,
    responses=documented(401, 404, 422, 503),
)
async def revoke_link(export_id: str, link_id: str, caller: By, services: Parts) -> None:
    """Let a link lead nowhere from now on."""
    async with services.database.transaction() as connection:
        await links.revoke_link(connection, caller.user_id, export_id, link_id)


@router.head("/links/{token}", include_in_schema=False)
@router.get(
    "/links/{token}",
    response_class=Response,
    responses={**VIDEO_RESPONSES, **documented(404, 410, 416, 422, 429, 503)},
)
async def follow_link(
    token: Annotated[str, Path(description="The last part of the link's address.")],
    request: Request,
    terms: As,
    services: Parts,
    download: Annotated[bool, Query(description="Whether it is saved, not played.")] = False,
) -> Response:
    """The video that a link leads to, as a browser plays it. It needs no other token."""
    row = await services.links.find(token, address_of(request))
    answer = await send_video(
        row,
        terms,
        services,
        is_inline=not download,
        valid_s=min(services.limits.link_valid_s, math.ceil(row["left_s"])),
    )
    answer.headers.update(_DISCREET)
    return answer
