"""Branding in requests: its template, its overrides, and its files, which become assets."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.api.keeping import keep_asset
from coordinator.api.known_keys import Caller
from coordinator.api.problems import FieldFault, fields_error
from coordinator.api.services import Services
from coordinator.branding import (
    TemplateName,
    branding_uses,
    by_keys,
    is_address,
    merged,
    with_names,
)
from coordinator.database import Row, assets, templates
from coordinator.documents import AssetUse, asset_faults
from coordinator.fetching import Fetched, FetchError
from shared.branding import Branding
from shared.errors import NotFoundError
from shared.intake import AssetKind
from shared.templates import TEMPLATES

_MOST_TOLD: Final = 200
"""Characters of an address that are repeated to whoever sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Branding whose files are assets of the user's."""

    branding: Branding | None
    """Names asset ids, and logos of ours; no address."""
    assets: dict[str, Row]
    """The assets that it names, by their ids."""

    @property
    def told(self) -> Branding | None:
        """The same as workers are told of it: its assets by their object keys."""
        return None if self.branding is None else by_keys(self.branding, self.assets)


async def find_branding(services: Services, caller: Caller, template: str) -> Branding:
    """The branding of a template, which says its version.

    Args:
        services: The parts of this process.
        caller: Whose templates.
        template: Its id, built-in or the user's own, perhaps with a version: ``tpl_…@2``.

    Raises:
        NotFoundError: There is none; of the field ``template``.
    """
    named = TemplateName.parse(template)
    built_in = TEMPLATES.get(named.id)
    if built_in is not None:
        if named.version not in (None, built_in.version):
            raise NotFoundError(f"There is no template {template}: it has one version.")
        return built_in.branding
    async with services.database.transaction() as connection:
        row = await templates.get_template(connection, caller.user_id, named.id, named.version)
    branding = Branding.model_validate(row["document"]["branding"])
    return branding.model_copy(update={"template": f"{row['id']}@{row['version']}"})


async def settle(
    services: Services, caller: Caller, parts: Sequence[tuple[str, Branding | None]]
) -> Settled:
    """Put branding together, fetch what it names by address, and see that all of it can be used.

    Args:
        services: The parts of this process.
        caller: Whose assets.
        parts: Where each part stands in the request, and what it says; a later one outranks an
            earlier one.

    Raises:
        InputError: A file is not there, is of another kind, cannot be used or cannot be fetched;
            names every field.
    """
    branding = merged(*(part for _, part in parts))
    if branding is None:
        return Settled(branding=None, assets={})
    uses = [
        AssetUse(field=_place(use, parts), asset_id=use.asset_id, kind=use.kind)
        for use in branding_uses(branding, "")
    ]
    stored = [use for use in uses if not is_address(use.asset_id)]
    async with services.database.transaction() as connection:
        found = await assets.get_assets(
            connection, caller.user_id, {use.asset_id for use in stored}
        )
    faults = [
        FieldFault(field=fault.field, message=fault.message)
        for fault in asset_faults(stored, found)
    ]
    if faults:
        raise fields_error(faults)
    fetched = await _fetch(services, [use for use in uses if is_address(use.asset_id)])
    names = {}
    for url, (kind, file) in fetched.items():
        row, _ = await keep_asset(
            services,
            caller,
            kind=kind,
            name=file.name,
            sha256=file.sha256,
            size_bytes=len(file.data),
            put=functools.partial(services.store.put_bytes, data=file.data),
        )
        if row["status"] == "rejected":
            field = next(use.field for use in uses if use.asset_id == url)
            message = f"{row['name']} cannot be used: {row['reason']}"
            raise fields_error([FieldFault(field=field, message=message)])
        names[url] = row["id"]
        found[row["id"]] = row
    return Settled(branding=with_names(branding, names), assets=found)


def _place(use: AssetUse, parts: Sequence[tuple[str, Branding | None]]) -> str:
    """Where a name was given: in the last part that has it there."""
    for place, part in reversed(parts):
        for each in branding_uses(part, ""):
            if each.field == use.field:
                return f"{place}{use.field}"
    raise AssertionError(use)  # what was put together came from one of them


async def _fetch(
    services: Services, uses: Sequence[AssetUse]
) -> dict[str, tuple[AssetKind, Fetched]]:
    """What addresses lead to, each fetched once.

    Raises:
        InputError: One or more lead to nothing that can be used.
    """
    wanted = {(use.asset_id, use.kind): use for use in uses}
    results = await asyncio.gather(
        *(services.fetcher.fetch(url, kind) for url, kind in wanted), return_exceptions=True
    )
    fetched, faults = dict[str, tuple[AssetKind, Fetched]](), list[FieldFault]()
    for use, result in zip(wanted.values(), results, strict=True):
        if isinstance(result, FetchError):
            message = f"{use.asset_id[:_MOST_TOLD]} cannot be used: {result.message}"
            faults.append(FieldFault(field=use.field, message=message))
        elif isinstance(result, BaseException):
            raise result
        else:
            fetched[use.asset_id] = (use.kind, result)
    if faults:
        raise fields_error(faults)
    return fetched
