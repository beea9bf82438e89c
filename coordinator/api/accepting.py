"""Accepting exports: from what was asked for to rows that a dispatcher finds.

First everything is looked up and checked, for all items together; what is named by address is
fetched; then one transaction accepts all of it or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from coordinator.api.branding import Settled, find_branding, settle
from coordinator.api.known_keys import Caller
from coordinator.api.pools import refuse_unknown
from coordinator.api.problems import ApiError, field_error
from coordinator.api.requests import MOST_IN_A_BATCH, Item, changed
from coordinator.api.services import Services
from coordinator.api.tracing import tell_accepted
from coordinator.api.webhooks import ExportWebhook, refuse_unreachable
from coordinator.branding import branding_uses, is_address, merged
from coordinator.database import (
    Connection,
    Row,
    assets,
    compositions,
    exports,
    quotas,
    webhooks,
)
from coordinator.database.exports import NewExport
from coordinator.documents import (
    CompositionDocument,
    asset_faults,
    asset_uses,
    intake_spec,
    longest_s,
)
from coordinator.quotas import QuotaLimits
from coordinator.sharing import frames_shared
from coordinator.threads import beside
from shared.branding import Branding
from shared.errors import NotFoundError
from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.traces import Tracer

_NAME_LENGTH: Final = 200
_MOST_TOLD: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One item of a request."""

    place: str
    """Where it stands: empty for the request itself, or ``items.3.``."""
    item: Item
    """What it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Exports that can be accepted."""

    exports: Sequence[NewExport]
    """In the order of the request."""
    title: str
    """What the first composition is called."""
    asset_ids: frozenset[str]
    """All assets that they are made from."""
    webhooks: Sequence[ExportWebhook | None]
    """Who is told of the end of each, beside its user's own webhooks."""
    begun_s: float
    """When it was begun to look at the request: seconds since the epoch."""
    tracer: Tracer | None
    """Told that they are accepted."""

    async def accept(
        self,
        connection: Connection,
        user_id: str,
        *,
        batch_id: str | None,
        defaults: QuotaLimits,
    ) -> list[str]:
        """Accept all of them; their ids.

        Args:
            connection: Inside the transaction that accepts them.
            user_id: Whose they are.
            batch_id: What they are submitted with.
            defaults: What a user may have for whom nothing else was said.

        Raises:
            QuotaError: The user has too much already.
            ApiError: An asset was deleted meanwhile.
        """
        await quotas.admit_exports(connection, user_id, len(self.exports), defaults)
        await hold_assets(connection, user_id, self.asset_ids)
        told = {
            webhook: await webhooks.of_export(connection, user_id, webhook.url, webhook.secret)
            for webhook in set(self.webhooks)
            if webhook is not None
        }
        accepted = [
            replace(
                export, batch_id=batch_id, webhook_id=None if webhook is None else told[webhook]
            )
            for export, webhook in zip(self.exports, self.webhooks, strict=True)
        ]
        ids = await exports.create_exports(connection, user_id, accepted)
        tell_accepted(self.tracer, ids, self.begun_s)
        return ids


async def hold_assets(connection: Connection, user_id: str, asset_ids: Collection[str]) -> None:
    """See that assets are there, and keep them from being deleted until the transaction ends.

    Raises:
        ApiError: One is gone.
    """
    gone = set(asset_ids) - await assets.hold_assets(connection, user_id, asset_ids)
    if gone:
        raise _deleted(gone)


async def hold_objects(connection: Connection, user_id: str, intake: IntakeSpec) -> None:
    """The same for what an earlier export was made from.

    Raises:
        ApiError: Something of it is gone.
    """
    held = await assets.hold_assets_of(connection, user_id, intake.names)
    if held < intake.names.keys():
        raise _deleted(intake.names[key] for key in intake.names.keys() - held)


def _deleted(gone: Iterable[str]) -> ApiError:
    told = ", ".join(sorted(gone)[:_MOST_TOLD])
    return ApiError(
        409,
        f"It is made from files that were deleted: {told}. Upload them again, and make a "
        "composition of them.",
        code="asset_deleted",
    )


async def prepare(services: Services, caller: Caller, asked: Sequence[Asked]) -> Ready:
    """Look up and check all that exports are made from.

    Args:
        services: The parts of this process.
        caller: Who asks.
        asked: What for.

    Raises:
        NotFoundError: A composition or a template is not there.
        InputError: Something does not fit; names the fields.
        ApiError: A composition names a file that cannot be used, or nobody serves a pool.
    """
    begun_s = time.time()
    count = sum(len(each.item.configurations) for each in asked)
    if count > MOST_IN_A_BATCH:
        raise field_error(
            "items", f"these are {count:,} exports; one batch has {MOST_IN_A_BATCH:,} at most"
        )
    async with services.database.reading() as connection:
        await refuse_unknown(connection, services, {each.item.pool for each in asked})
        songs = await _songs(connection, caller.user_id, asked)
    receivers = dict[str, str]()
    for each in asked:
        if each.item.webhook is not None:
            receivers.setdefault(each.item.webhook.url, f"{each.place}webhook.url")
    for url, place in receivers.items():
        await refuse_unreachable(services, place, url)
    brandings = await _Brandings.of(services, caller, asked)
    ready = await beside(count, _all_exports, asked, songs, brandings)
    used = {asset_id for song in songs.values() for asset_id in song.assets}
    first = songs[asked[0].item.composition_id, asked[0].item.revision]
    return Ready(
        exports=ready,
        title=first.document.name,
        asset_ids=frozenset(used | brandings.asset_ids),
        webhooks=[each.item.webhook for each in asked for _ in each.item.configurations],
        begun_s=begun_s,
        tracer=services.tracer,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Song:
    """A revision of a composition, with the assets that it names."""

    composition_id: str
    revision: int
    document: CompositionDocument
    assets: dict[str, Row]


async def _songs(
    connection: Connection, user_id: str, asked: Sequence[Asked]
) -> dict[tuple[str, int | None], _Song]:
    """What is to be drawn and heard, by how it was named."""
    named = {(each.item.composition_id, each.item.revision): each for each in asked}
    found = await compositions.get_revisions(connection, user_id, list(named))
    missing = [each for name, each in named.items() if name not in found]
    if missing:
        first = missing[0]
        edition = "" if first.item.revision is None else f" with a revision {first.item.revision}"
        where = f" ({first.place}composition_id)" if first.place else ""
        more = f", nor {len(missing) - 1} others of the batch" if len(missing) > 1 else ""
        raise NotFoundError(
            f"There is no composition {first.item.composition_id[:60]}{edition}{where}{more}."
        )
    documents = await beside(len(found), _documents, found)
    stored = await usable_assets(connection, user_id, documents.values())
    return {
        name: _Song(
            composition_id=name[0],
            revision=found[name]["revision"],
            document=document,
            assets={use.asset_id: stored[use.asset_id] for use in asset_uses(document)},
        )
        for name, document in documents.items()
    }


def _documents(
    found: Mapping[tuple[str, int | None], Row],
) -> dict[tuple[str, int | None], CompositionDocument]:
    return {
        name: CompositionDocument.model_validate(row["document"]) for name, row in found.items()
    }


async def usable_assets(
    connection: Connection, user_id: str, documents: Collection[CompositionDocument]
) -> dict[str, Row]:
    """What documents name; it was checked once, but a worker may have rejected it since.

    Raises:
        ApiError: Something of it cannot be used, or was deleted.
    """
    uses = [(document, asset_uses(document)) for document in documents]
    found = await assets.get_assets(
        connection, user_id, {use.asset_id for _, each in uses for use in each}
    )
    for document, each in uses:
        faults = asset_faults(each, found)
        if faults:
            sentences = "; ".join(f"{fault.field}: {fault.message.rstrip('.')}" for fault in faults)
            raise ApiError(
                409,
                f"The composition {document.name!r} cannot be rendered: {sentences}. Upload what "
                "is needed, and revise the composition.",
                code="asset_rejected" if any(fault.rejected for fault in faults) else "conflict",
            )
    return found


@dataclass(slots=True, kw_only=True)
class _Brandings:
    """Branding by what was asked for, each put together and fetched once."""

    settled: dict[tuple[str | None, str, str], Settled] = field(default_factory=dict)
    asset_ids: set[str] = field(default_factory=set)

    @classmethod
    async def of(cls, services: Services, caller: Caller, asked: Sequence[Asked]) -> _Brandings:
        named = {each.item.template for each in asked} - {None}
        templates = {
            name: await find_branding(services, caller, name) for name in named if name is not None
        }
        parts = dict[tuple[str | None, str, str], list[tuple[str, Branding | None]]]()
        addresses = set[str]()
        for each in asked:
            item, template = each.item, templates.get(each.item.template or "")
            for place, configuration in item.configurations:
                key = _branding_key(item, configuration)
                if key in parts:
                    continue
                place = f"{each.place}{place}"
                parts[key] = [
                    (f"{each.place}template", template),
                    (f"{place}.branding", configuration.branding),
                    (f"{each.place}branding", item.branding),
                ]
                whole = merged(*(part for _, part in parts[key]))
                # What cannot hold together is told before anything is fetched.
                changed(place, configuration, branding=whole, too_long=item.too_long)
                addresses |= {
                    use.asset_id for use in branding_uses(whole, "") if is_address(use.asset_id)
                }
        if len(addresses) > services.limits.addresses:
            message = f"at most {services.limits.addresses} addresses are fetched; upload the files"
            raise field_error("branding", message)
        found = cls()
        for key, settling in parts.items():
            found.settled[key] = await settle(services, caller, settling)
            found.asset_ids.update(found.settled[key].assets)
        return found

    def get(self, item: Item, configuration: ExportConfiguration) -> Settled:
        return self.settled[_branding_key(item, configuration)]


def _branding_key(item: Item, configuration: ExportConfiguration) -> tuple[str | None, str, str]:
    return item.template, _json(configuration.branding), _json(item.branding)


def _json(branding: Branding | None) -> str:
    return "" if branding is None else branding.model_dump_json()


class _Intakes:
    """Intakes, and configurations with their branding: equal ones are one object."""

    def __init__(self) -> None:
        self._intakes: dict[tuple[Any, ...], IntakeSpec] = {}
        self._configurations: dict[tuple[Any, ...], ExportConfiguration] = {}

    def configuration(
        self, place: str, item: Item, configuration: ExportConfiguration, settled: Settled
    ) -> ExportConfiguration:
        key = id(configuration), id(settled), item.too_long
        if key not in self._configurations:
            self._configurations[key] = changed(
                place, configuration, branding=settled.branding, too_long=item.too_long
            )
        return self._configurations[key]

    def intake(
        self, item: Item, song: _Song, configuration: ExportConfiguration, settled: Settled
    ) -> IntakeSpec:
        key = (
            song.composition_id,
            song.revision,
            id(settled),
            configuration.has_sound,
            item.start_s,
            item.end_s,
        )
        if key not in self._intakes:
            self._intakes[key] = intake_spec(
                song.document,
                song.assets | settled.assets,
                branding=settled.told,
                start_s=item.start_s,
                end_s=item.end_s,
                configuration=configuration,
            )
        return self._intakes[key]


def _all_exports(
    asked: Sequence[Asked],
    songs: Mapping[tuple[str, int | None], _Song],
    brandings: _Brandings,
) -> list[NewExport]:
    intakes = _Intakes()
    return [
        export
        for each in asked
        for export in _exports(
            each, songs[each.item.composition_id, each.item.revision], brandings, intakes
        )
    ]


def _exports(
    asked: Asked, song: _Song, brandings: _Brandings, intakes: _Intakes
) -> list[NewExport]:
    """The exports of one item."""
    item, document = asked.item, song.document
    many = len(item.configurations) > 1
    title = item.name or document.name
    branded = []
    for place, configuration in item.configurations:
        settled = brandings.get(item, configuration)
        whole = intakes.configuration(f"{asked.place}{place}", item, configuration, settled)
        branded.append((whole, settled))
    end_s = item.end_s or longest_s(document, song.assets)
    shared = frames_shared(
        [configuration for configuration, _ in branded],
        longest_s=None if end_s is None else end_s - item.start_s,
    )
    return [
        NewExport(
            composition_id=song.composition_id,
            composition_revision=song.revision,
            name=title
            if item.name and not many
            else f"{title} - {configuration.name}"[:_NAME_LENGTH],
            configuration=configuration,
            intake=intakes.intake(item, song, configuration, settled),
            start_s=item.start_s,
            end_s=item.end_s,
            priority=item.priority,
            pool=item.pool,
            shared_frames=is_shared,
        )
        for (configuration, settled), is_shared in zip(branded, shared, strict=True)
    ]
