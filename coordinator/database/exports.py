"""Exports: accepting them, and reading how they stand. What changes them is in transitions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from coordinator.database import transitions
from coordinator.database.connection import Connection, Queries, Row
from coordinator.placing import DEFAULT
from coordinator.threads import beside
from shared.errors import NotFoundError
from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.states import ExportStatus

_QUERIES: Final = Queries("exports")


def new_id(prefix: str) -> str:
    """An id that nobody can guess: ``exp_`` and 26 characters, say."""
    return f"{prefix}_{secrets.token_hex(13)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExport:
    """What is accepted."""

    composition_id: str
    """What is drawn and heard."""
    composition_revision: int
    """Which edition of it."""
    name: str
    """What a person calls it; also the name of the file that is downloaded."""
    configuration: ExportConfiguration
    """What file comes out."""
    intake: IntakeSpec
    """What its first work item is told: the objects that it is made from."""
    start_s: float = 0.0
    """Song time at which the video begins."""
    end_s: float | None = None
    """Song time at which it ends; None for the end of the song."""
    priority: int = 0
    """Higher is earlier, -100 … 100."""
    pool: str = DEFAULT
    """The nodes that may do its work."""
    batch_id: str | None = None
    """What it was submitted with."""
    reexport_of: str | None = None
    """The export that it repeats."""
    shared_frames: bool = False
    """Whether others of its batch show the same frames (``Picture.seen``)."""
    webhook_id: str | None = None
    """Who is told of its end, beside its user's general webhooks."""


async def create_exports(
    connection: Connection, user_id: str, accepted: Sequence[NewExport]
) -> list[str]:
    """Accept exports, all or none: once the transaction is committed, none is lost any more.

    Args:
        connection: Inside a transaction.
        user_id: Whose they are.
        accepted: In the order in which they are to be shown and rendered. What is the same object
            in several of them, a configuration or an intake, is sent to the database once.

    Returns:
        Their ids, in the same order.
    """
    ids = [new_id("exp") for _ in accepted]
    told = await beside(len(ids), _as_json, ids, accepted)
    await _QUERIES.execute(connection, "insert_exports", user_id=user_id, **told)
    await transitions.queue_intakes(connection, ids)
    return ids


def _as_json(ids: Sequence[str], accepted: Sequence[NewExport]) -> dict[str, str]:
    """What is told of exports, as JSON: psycopg quotes an array sign by sign, which is slow."""
    configs, intakes = _Documents(by_alias=True), _Documents(by_alias=False)
    rows = [
        {
            "id": export_id,
            "composition_id": each.composition_id,
            "revision": each.composition_revision,
            "config": configs.number(each.configuration),
            "name": each.name,
            "intake": intakes.number(each.intake),
            "batch_id": each.batch_id,
            "reexport_of": each.reexport_of,
            "priority": each.priority,
            "pool": each.pool,
            "start_s": each.start_s,
            "end_s": each.end_s,
            "shared_frames": each.shared_frames,
            "webhook_id": each.webhook_id,
        }
        for export_id, each in zip(ids, accepted, strict=True)
    ]
    return {
        "exports": json.dumps(rows),
        "configs": configs.as_json(),
        "intakes": intakes.as_json(),
    }


class _Documents:
    """Documents, each object once, numbered from 1."""

    def __init__(self, *, by_alias: bool) -> None:
        self._texts: list[str] = []
        self._by_alias = by_alias
        self._numbers: dict[int, int] = {}

    def number(self, document: BaseModel) -> int:
        # Callers hold the objects meanwhile, so that no id is another's.
        if id(document) not in self._numbers:
            self._texts.append(document.model_dump_json(by_alias=self._by_alias))
            self._numbers[id(document)] = len(self._texts)
        return self._numbers[id(document)]

    def as_json(self) -> str:
        """An array of all of them."""
        return f"[{','.join(self._texts)}]"


async def get_exports(
    connection: Connection, user_id: str, export_ids: Sequence[str]
) -> Sequence[Row]:
    """Several exports of a user's, in the order in which they were accepted."""
    return await _QUERIES.all(connection, "get_exports", ids=list(export_ids), user_id=user_id)


async def get_export(connection: Connection, user_id: str | None, export_id: str) -> Row:
    """One export.

    Args:
        connection: Any.
        user_id: Whose it must be; None for anybody's.
        export_id: Which.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    row = await _QUERIES.one(connection, "get_export", id=export_id, user_id=user_id)
    if row is None:
        raise NotFoundError(f"There is no export {export_id[:60]}.", export=export_id[:60])
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which exports of a history are wanted; all of them by default."""

    statuses: Collection[ExportStatus] = ()
    """Those that stand like one of these; all where there are none."""
    name: str | None = None
    """Those whose names contain it, in capitals or not."""
    batch_id: str | None = None
    """Those of a batch."""
    composition_id: str | None = None
    """Those of a composition, whichever revision."""
    since: datetime | None = None
    """Those that were accepted then or later."""
    until: datetime | None = None
    """Those that were accepted before."""
    before: tuple[datetime, str] | None = None
    """Those that come after this one in the history: when it was accepted, and its id."""


async def list_exports(
    connection: Connection, user_id: str, *, limit: int, offset: int = 0, of: Filter
) -> Sequence[Row]:
    """A page of a user's history, newest first."""
    before_at, before_id = of.before or (None, None)
    return await _QUERIES.all(
        connection,
        "list_exports",
        plan_anew=True,
        user_id=user_id,
        statuses=sorted(set(of.statuses)) or None,
        name=of.name,
        batch_id=of.batch_id,
        composition_id=of.composition_id,
        since=of.since,
        until=of.until,
        before_at=before_at,
        before_id=before_id,
        limit=limit,
        offset=offset,
    )


async def list_everybodys(
    connection: Connection,
    *,
    limit: int,
    statuses: Collection[ExportStatus] = (),
    user_id: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> Sequence[Row]:
    """A page of the exports of everybody, newest first.

    Args:
        connection: Any.
        limit: How many at most.
        statuses: How they stand; in whatever way if there are none.
        user_id: Whose they are; None for everybody's.
        before: Only those that come after this one: when it was accepted, and its id.
    """
    before_at, before_id = before or (None, None)
    return await _QUERIES.all(
        connection,
        "list_everybodys",
        plan_anew=True,
        statuses=[str(each) for each in set(statuses or ExportStatus)],
        user_id=user_id,
        before_at=before_at,
        before_id=before_id,
        limit=limit,
    )


async def list_chunks(
    connection: Connection, export_id: str, *, limit: int, offset: int
) -> Sequence[Row]:
    """The pieces of an export, in their order."""
    return await _QUERIES.all(connection, "list_chunks", id=export_id, limit=limit, offset=offset)


async def list_attempts(
    connection: Connection, export_id: str, *, limit: int, chunk: int | None = None
) -> Sequence[Row]:
    """What was tried for an export, or for one of its pieces, newest first."""
    return await _QUERIES.all(connection, "list_attempts", id=export_id, limit=limit, chunk=chunk)
