"""Attempts: begun, handed in, failed, given back, lost with their leader."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from coordinator.database import verdicts
from coordinator.database.connection import Connection, Row
from coordinator.database.storable import storable
from coordinator.database.transitions.acts import queue_intakes
from coordinator.database.transitions.changing import QUERIES, change, lock
from coordinator.database.transitions.steps import (
    advance,
    complete,
    fail,
    finish,
    go_on,
    last_words,
    named,
    remake,
    reuse,
    shrink,
)
from shared.attempts import SUSPECT_LIMIT, TRANSIENT_LIMIT, back_off_s, may_retry
from shared.errors import (
    DamagedObjectError,
    ErrorKind,
    MidifarmError,
    ObjectNotFoundError,
    OversizeError,
)
from shared.plan import AudioReport, SegmentReport, StitchReport, SurveyReport
from shared.planning import ExportPlan
from shared.preview import PreviewReport
from shared.revision import made_by
from shared.spec import Spec
from shared.states import ExportAction

_Stored = SegmentReport | AudioReport | StitchReport | SurveyReport | PreviewReport
"""What tells of an object that is found again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What came of handing in a result."""

    accepted: bool
    """False for a late one, which changes nothing."""
    superseded: bool = False
    """Whether the same content was there already: the attempt's own object is not needed."""
    export_id: str | None = None
    """The export that went on by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An attempt of a leader before, of whose end nobody will hear."""

    attempt_id: int
    """Which."""
    kind: str
    """What was to be done."""
    content_key: str | None
    """What determines its result; by it that is removed which it may have left."""


async def add_attempt(connection: Connection, item_id: int, epoch: int) -> int | None:
    """Begin one more attempt of an item that is under way; its id, or None if it is not."""
    attempt = await QUERIES.one(connection, "insert_attempt", item_id=item_id, epoch=epoch)
    return None if attempt is None else int(attempt["id"])


async def commit_attempt(
    connection: Connection,
    attempt_id: int,
    report: Spec,
    *,
    worker: str | None,
    node: str | None = None,
    wall_s: float | None = None,
    retention_s: float,
    plan: tuple[ExportPlan, list[str]] | None = None,
) -> Committed:
    """Hand in the result of an attempt.

    Args:
        connection: Inside a transaction.
        attempt_id: Whose result it is.
        report: What the worker tells.
        worker: Who it was.
        node: Where.
        wall_s: How long it took there, where that is known.
        retention_s: How long a finished video is kept.
        plan: Of the export, where the report is an intake's, with what its owner should know.
    """
    item = await _lock_attempt(connection, attempt_id)
    if item is not None and item["outcome"] == "committed":
        # It was handed in before, by us, and the answer was lost on its way back.
        kept = (item["report"] or {}).get("key")
        superseded = kept is not None and kept != getattr(report, "key", None)
        return Committed(accepted=True, superseded=superseded, export_id=item["export_id"])
    if item is None or item["outcome"] is not None or item["status"] != "running":
        await _end(connection, attempt_id, "late", worker, node, wall_s)
        # Forgotten since, maybe; but what it made may stand.
        key = getattr(report, "key", None)
        found = key and await QUERIES.one(connection, "artifact_of", key=key)
        return Committed(accepted=bool(found))
    content_key, stored = item["content_key"], storable(report.model_dump(mode="json"))
    superseded = False
    if content_key is not None:
        assert isinstance(report, _Stored)  # noqa: S101
        artifact = await QUERIES.one(
            connection,
            "insert_artifact",
            content_key=content_key,
            object_key=report.key,
            size_bytes=report.size_bytes,
            sha256=report.sha256,
            report=Jsonb(stored),
        )
        assert artifact is not None  # noqa: S101  # inserted or found
        superseded = artifact["object_key"] != report.key
        stored = artifact["report"] | {"index": item["chunk_index"]} if superseded else stored
        if item["kind"] != "chunk":
            stored.pop("index", None)
    stored_bytes = 0 if superseded else getattr(report, "size_bytes", None)
    await _end(connection, attempt_id, "committed", worker, node, wall_s, stored_bytes=stored_bytes)
    await finish(connection, item, stored)
    await go_on(connection, item, stored, retention_s, plan)
    return Committed(accepted=True, superseded=superseded, export_id=item["export_id"])


async def reuse_item(
    connection: Connection, item_id: int, export_id: str | None, retention_s: float
) -> None:
    """Take the result of a waiting item from what stands already.

    Args:
        connection: Inside a transaction.
        item_id: The item.
        export_id: What it is part of; None for a preview.
        retention_s: How long a finished video is kept.
    """
    if export_id is not None:
        await lock(connection, export_id)
    item = await QUERIES.one(connection, "lock_item", id=item_id)
    if item is None or item["status"] != "ready":
        return
    if export_id is None:
        found = await QUERIES.one(connection, "use_artifact", key=item["content_key"])
        if found is not None:
            await finish(connection, item, found["report"])
            await verdicts.show_preview(connection, item["preview_id"], found["report"])
        return
    for done in await reuse(connection, export_id):
        if done["kind"] == "stitch":
            await complete(connection, export_id, done["report"], retention_s)
            return
    await advance(connection, export_id)


async def fail_attempt(
    connection: Connection,
    attempt_id: int,
    error: MidifarmError,
    *,
    worker: str | None,
    node: str | None = None,
    wall_s: float | None = None,
) -> None:
    """Note that an attempt failed: its item is tried again or fails its export.

    Args:
        connection: Inside a transaction.
        attempt_id: Which.
        error: Why; the end of its log is kept.
        worker: Who tried.
        node: Where.
        wall_s: For how long, where that is known.
    """
    item = await _lock_attempt(connection, attempt_id)
    if item is None or item["outcome"] is not None or item["status"] != "running":
        await _end(connection, attempt_id, "cancelled", worker, node, wall_s)
        return
    await _end(connection, attempt_id, "failed", worker, node, wall_s, error=error)
    lost = isinstance(error, DamagedObjectError | ObjectNotFoundError)
    if item["kind"] == "stitch" and lost and await remake(connection, item["export_id"], error):
        return
    if item["kind"] == "stitch" and isinstance(error, OversizeError):
        await shrink(connection, item["export_id"], error)
        return
    counts = {
        "suspect": item["suspect"] + (error.kind is ErrorKind.SUSPECT),
        "transient": item["transient"] + (error.kind is ErrorKind.TRANSIENT),
    }
    # A storage that is down says nothing about an uploaded file.
    patient = item["kind"] == "probe" and error.kind is ErrorKind.TRANSIENT
    if patient or may_retry(error.kind, **counts):
        left = await QUERIES.one(connection, "attempts_under_way", item_id=item["id"])
        if left and left["count"]:
            await QUERIES.execute(connection, "count_failure", id=item["id"], **counts)
        else:
            await QUERIES.execute(
                connection, "release_item", id=item["id"], wait_s=back_off_s(**counts), **counts
            )
        return
    await QUERIES.execute(connection, "give_up_item", id=item["id"], **counts)
    match item["kind"]:
        case "probe":
            await verdicts.reject_asset(connection, item["asset_id"], error.message)
        case "preview":
            await verdicts.fail_preview(connection, item["preview_id"], error.message)
        case _:
            reason = {
                ErrorKind.PERMANENT: None,
                ErrorKind.SUSPECT: f"Its {named(item)} failed {SUSPECT_LIMIT} times.",
                ErrorKind.TRANSIENT: f"Its {named(item)} was hindered {TRANSIENT_LIMIT} times.",
            }[error.kind]
            row = await lock(connection, item["export_id"])
            await fail(connection, row, error, reason)


async def postpone_item(connection: Connection, item_id: int, wait_s: float) -> None:
    """Let a waiting item rest for a while."""
    await QUERIES.execute(connection, "postpone_item", id=item_id, wait_s=wait_s)


async def forget_artifact(connection: Connection, key: str) -> None:
    """Note that an object does not stand any more."""
    await QUERIES.execute(connection, "drop_artifacts", keys=[key])


async def release_attempt(
    connection: Connection, attempt_id: int, wall_s: float | None = None
) -> None:
    """Note that an attempt ended because it was told to; nobody is to blame."""
    item = await _lock_attempt(connection, attempt_id)
    await _end(connection, attempt_id, "cancelled", None, None, wall_s)
    if item is None or item["status"] != "running":
        return
    left = await QUERIES.one(connection, "attempts_under_way", item_id=item["id"])
    if left and left["count"] == 0:
        await QUERIES.execute(
            connection,
            "release_item",
            id=item["id"],
            wait_s=0,
            suspect=item["suspect"],
            transient=item["transient"],
        )


async def recover(connection: Connection, keep: Collection[int]) -> list[Lost]:
    """Free what leaders before this one had under way; the attempts that were lost."""
    lost = await QUERIES.all(connection, "lose_attempts", keep=list(keep))
    await QUERIES.execute(connection, "free_items")
    items = {
        row["id"]: row
        for row in await QUERIES.all(
            connection, "content_of_items", ids=[row["item_id"] for row in lost]
        )
    }
    return [
        Lost(attempt_id=row["id"], kind=item["kind"], content_key=item["content_key"])
        for row in lost
        if (item := items.get(row["item_id"])) is not None
    ]


async def replan_stranded(
    connection: Connection, engines: Collection[tuple[str, str]], served: Collection[str]
) -> int:
    """Plan anew what was planned for engines that are gone; how many exports that were.

    Args:
        connection: Inside a transaction.
        engines: Pools and engines that they have, or had until a moment ago.
        served: Pools that have an engine which is there to stay. Exports of other pools wait,
            but for those that another revision of midifarm has planned: it will not come back.
    """
    rows = await QUERIES.all(
        connection,
        "other_engines",
        pools=[pool for pool, _ in engines],
        engines=[engine for _, engine in engines],
        served=list(served),
        own=made_by(),
    )
    replanned = 0
    for found in rows:
        row = await lock(connection, found["id"])
        if row["status"] not in ("rendering", "uploading") or row["engine"] != found["engine"]:
            continue  # changed while we waited for it
        await change(
            connection,
            row,
            ExportAction.RENDER_AGAIN,
            "replan_export",
            reason="What began to render it is gone or was upgraded; one engine renders it all.",
        )
        await QUERIES.execute(connection, "drop_items", ids=[row["id"]])
        await queue_intakes(connection, [row["id"]])
        replanned += 1
    return replanned


async def _lock_attempt(connection: Connection, attempt_id: int) -> Row | None:
    """The item of an attempt, locked after its export; None where it is forgotten."""
    found = await QUERIES.one(connection, "item_of_attempt", id=attempt_id)
    if found is None:
        return None
    if found["export_id"] is not None:
        await lock(connection, found["export_id"])
    item = await QUERIES.one(connection, "lock_item", id=found["item_id"])
    # How the attempt stands now, not before the lock was had.
    again = await QUERIES.one(connection, "item_of_attempt", id=attempt_id)
    return item | {"outcome": again["outcome"]} if item and again else None


async def _end(
    connection: Connection,
    attempt_id: int,
    outcome: str,
    worker: str | None,
    node: str | None,
    wall_s: float | None,
    *,
    error: MidifarmError | None = None,
    stored_bytes: int | None = None,
) -> None:
    await QUERIES.execute(
        connection,
        "end_attempt",
        id=attempt_id,
        outcome=outcome,
        worker=worker,
        node=node,
        wall_s=wall_s,
        stored_bytes=stored_bytes,
        error_kind=str(error.kind) if error else None,
        error_message=storable(error.message) if error else None,
        log=last_words(error) if error else None,
    )
