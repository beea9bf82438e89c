"""``/v1/compositions``: what is drawn and heard, in revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from coordinator.api.auth import By
from coordinator.api.idempotency import Once
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import FieldFault, documented, fields_error
from coordinator.api.services import Parts
from coordinator.database import Connection, Row, assets, compositions
from coordinator.documents import CompositionDocument, asset_faults, asset_uses

router: Final = APIRouter(
    prefix="/compositions", tags=["compositions"], responses=documented(401, 422, 503)
)

Revision = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Which revision; the newest without it.")
]


class CompositionHead(BaseModel):
    """A composition without its document."""

    id: str = Field(description="Its id.", examples=["cmp_0a1b…"])
    name: str = Field(description="What a person calls it.")
    revision: int = Field(description="The newest revision, counted from 1.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it got its newest revision.")


class StoredComposition(CompositionHead):
    """A composition with the document of one revision."""

    revision: int = Field(description="The revision of the document, counted from 1.")
    newest_revision: int = Field(description="The newest revision that there is.")
    document: CompositionDocument = Field(description="What is drawn and heard.")


class CompositionPage(BaseModel):
    """A page of compositions."""

    compositions: list[CompositionHead] = Field(description="The last changed first.")
    has_more: bool = Field(description="Whether there are more.")


def _shown(row: Row) -> StoredComposition:
    return StoredComposition(**{name: row[name] for name in StoredComposition.model_fields})


async def _check_assets(
    connection: Connection, user_id: str, document: CompositionDocument
) -> None:
    uses = asset_uses(document)
    found = await assets.get_assets(connection, user_id, {use.asset_id for use in uses})
    faults = asset_faults(uses, found)
    if faults:
        raise fields_error(
            [FieldFault(field=fault.field, message=fault.message) for fault in faults]
        )


@router.post("", status_code=201)
async def create_composition(
    document: CompositionDocument, caller: By, once: Once
) -> StoredComposition:
    """Keep a new composition."""

    async def make(connection: Connection) -> StoredComposition:
        await _check_assets(connection, caller.user_id, document)
        row = await compositions.create_composition(
            connection, caller.user_id, document.name, document.model_dump(mode="json")
        )
        return _shown(row)

    return await once.run(make)


@router.get("")
async def list_compositions(
    caller: By, services: Parts, limit: Limit = 20, offset: Offset = 0
) -> CompositionPage:
    """Your compositions, the last changed first."""
    async with services.database.transaction() as connection:
        rows = await compositions.list_compositions(
            connection, caller.user_id, limit=limit + 1, offset=offset
        )
    page, has_more = cut(rows, limit)
    return CompositionPage(compositions=[CompositionHead(**row) for row in page], has_more=has_more)


@router.get("/{composition_id}", responses=documented(404))
async def get_composition(
    composition_id: str, caller: By, services: Parts, revision: Revision = None
) -> StoredComposition:
    """One of your compositions, in its newest revision or another."""
    async with services.database.transaction() as connection:
        return _shown(
            await compositions.get_composition(connection, caller.user_id, composition_id, revision)
        )


@router.put("/{composition_id}", responses=documented(404))
async def revise_composition(
    composition_id: str, document: CompositionDocument, caller: By, services: Parts
) -> StoredComposition:
    """Give a composition a new revision; exports keep theirs. An equal one changes nothing."""
    async with services.database.transaction() as connection:
        await _check_assets(connection, caller.user_id, document)
        row = await compositions.revise_composition(
            connection,
            caller.user_id,
            composition_id,
            document.name,
            document.model_dump(mode="json"),
        )
    return _shown(row)


@router.delete("/{composition_id}", status_code=204, responses=documented(404))
async def delete_composition(composition_id: str, caller: By, services: Parts) -> None:
    """Delete a composition; its exports stay, and can be made again."""
    async with services.database.transaction() as connection:
        await compositions.delete_composition(connection, caller.user_id, composition_id)
