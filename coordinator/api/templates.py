"""``/v1/templates``: branding with a name, in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.auth import By
from coordinator.api.branding import settle
from coordinator.api.idempotency import Once
from coordinator.api.known_keys import Caller
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import documented, field_error
from coordinator.api.requests import StorableBranding
from coordinator.api.services import Parts, Services
from coordinator.branding import branding_uses, is_address
from coordinator.database import Connection, Row, templates
from coordinator.texts import Text
from shared.branding import Branding
from shared.errors import ConflictError, NotFoundError
from shared.templates import TEMPLATES
from shared.templates import Template as BuiltInTemplate

router: Final = APIRouter(
    prefix="/templates", tags=["templates"], responses=documented(401, 422, 503)
)

Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Which version; the newest without it.")
]


class TemplateDocument(BaseModel):
    """Branding with a name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "My channel",
                    "branding": {
                        "watermark": {"imageUrl": "ast_5f0c…", "position": "top-right"},
                        "endCard": {
                            "text": "Thank you for listening",
                            "socialMedia": {"handles": {"youtube": "@me"}, "showQrCode": True},
                        },
                    },
                }
            ]
        },
    )

    name: Text = Field(description="What a person calls it.")
    description: str = Field(default="", max_length=500, description="What it is good for.")
    branding: StorableBranding = Field(
        description="Watermark and end card (camelCase). Images by asset id or `builtin:` name; an "
        "https address is fetched now, once, and becomes an asset of yours."
    )


class Template(BaseModel):
    """A template in one of its versions."""

    id: str = Field(description="What exports name it by.", examples=["tpl_1f6d…"])
    version: int = Field(description="The version shown, counted from 1.")
    newest_version: int = Field(description="The newest version that there is.")
    built_in: bool = Field(description="Whether it is midifarm's own, and cannot be changed.")
    name: str = Field(description="What a person calls it.")
    description: str = Field(description="What it is good for.")
    branding: Branding = Field(description="Watermark and end card (camelCase).")
    created_at: datetime | None = Field(description="When it was made; null: built in.")
    updated_at: datetime | None = Field(description="When it got its newest version.")


class TemplatePage(BaseModel):
    """Templates: all that are built in, and a page of your own."""

    built_in: list[Template] = Field(description="Midifarm's own.")
    templates: list[Template] = Field(description="Yours, the last changed first.")
    has_more: bool = Field(description="Whether you have more.")


def _shown(row: Row) -> Template:
    return Template(
        id=row["id"],
        version=row["version"],
        newest_version=row["newest_version"],
        built_in=False,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        **row["document"],
    )


def _built_in(template: BuiltInTemplate) -> Template:
    return Template(
        newest_version=template.version,
        built_in=True,
        created_at=None,
        updated_at=None,
        **template.model_dump(),
    )


async def _settled(
    document: TemplateDocument, caller: Caller, services: Services
) -> dict[str, Any]:
    """A document as it is kept: its files are assets."""
    # Its name and version are its own, whatever it was copied from.
    branding = document.branding.model_copy(update={"template": None})
    named = [each for each in branding_uses(branding, "") if is_address(each.asset_id)]
    if len(named) > services.limits.addresses:
        message = f"at most {services.limits.addresses} addresses are fetched; upload the files"
        raise field_error("branding", message)
    settled = await settle(services, caller, [("branding", branding)])
    whole = document.model_copy(update={"branding": settled.branding})
    return whole.model_dump(mode="json", by_alias=True)


def _refuse_built_in(template_id: str) -> None:
    if template_id in TEMPLATES:
        raise ConflictError(f"{template_id} is built in; make a template of your own from it.")


@router.post("", status_code=201, responses=documented(403, 409, 507))
async def create_template(
    document: TemplateDocument, caller: By, services: Parts, once: Once
) -> Template:
    """Keep a new template."""
    plain = await _settled(document, caller, services)

    async def make(connection: Connection) -> Template:
        return _shown(
            await templates.create_template(
                connection, caller.user_id, plain, most=services.limits.templates
            )
        )

    return await once.run(make)


@router.get("")
async def list_templates(
    caller: By, services: Parts, limit: Limit = 20, offset: Offset = 0
) -> TemplatePage:
    """The built-in templates and your own, the last changed first."""
    async with services.database.transaction() as connection:
        rows = await templates.list_templates(
            connection, caller.user_id, limit=limit + 1, offset=offset
        )
    page, has_more = cut(rows, limit)
    return TemplatePage(
        built_in=[_built_in(each) for each in TEMPLATES.values()],
        templates=[_shown(row) for row in page],
        has_more=has_more,
    )


@router.get("/{template_id}", responses=documented(404))
async def get_template(
    template_id: str, caller: By, services: Parts, version: Version = None
) -> Template:
    """A template in its newest version or another."""
    built_in = TEMPLATES.get(template_id)
    if built_in is not None:
        if version not in (None, built_in.version):
            raise NotFoundError(f"There is no template {template_id} with a version {version}.")
        return _built_in(built_in)
    async with services.database.transaction() as connection:
        return _shown(
            await templates.get_template(connection, caller.user_id, template_id, version)
        )


@router.put("/{template_id}", responses=documented(403, 404, 409, 507))
async def revise_template(
    template_id: str, document: TemplateDocument, caller: By, services: Parts
) -> Template:
    """Give a template a new version; exports keep theirs. An equal one changes nothing."""
    _refuse_built_in(template_id)
    async with services.database.transaction() as connection:  # before anything is fetched
        await templates.get_template(connection, caller.user_id, template_id)
    plain = await _settled(document, caller, services)
    async with services.database.transaction() as connection:
        return _shown(
            await templates.revise_template(
                connection,
                caller.user_id,
                template_id,
                plain,
                most=services.limits.template_versions,
            )
        )


@router.delete("/{template_id}", status_code=204, responses=documented(404, 409))
async def delete_template(template_id: str, caller: By, services: Parts) -> None:
    """Delete a template; exports keep what it was when they were made."""
    _refuse_built_in(template_id)
    async with services.database.transaction() as connection:
        await templates.delete_template(connection, caller.user_id, template_id)
