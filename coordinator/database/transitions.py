"""Every change of the state of an export or of a work item: here, and nowhere else.

What may follow what stands in shared.states, and once more in the schema's triggers. Each
function runs in the caller's transaction, locks the export before anything else of it, and tells
clients last.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database import planned, verdicts
from coordinator.database.connection import Connection, Queries, Row
from coordinator.database.storable import storable
from coordinator.progress import PLANNED, RENDERED
from shared.attempts import SUSPECT_LIMIT, TRANSIENT_LIMIT, back_off_s, may_retry
from shared.errors import (
    CompositionError,
    ConflictError,
    DamagedObjectError,
    ErrorKind,
    MidifarmError,
    NotFoundError,
    ObjectNotFoundError,
    OversizeError,
)
from shared.fitting import refit
from shared.intake import ProbeSpec
from shared.plan import AudioReport, SegmentReport, StitchReport, SurveyReport
from shared.planning import ExportPlan, stitch_of
from shared.preview import PreviewReport, PreviewSpec
from shared.spec import Spec
from shared.states import ExportAction, ExportStatus, next_status

_QUERIES: Final = Queries("transitions")

_Stored = SegmentReport | AudioReport | StitchReport | SurveyReport | PreviewReport
"""What tells of an object that is found again."""

_MOST_RENDERINGS: Final = 8
"""shared.fitting gives up before; no mistake there may keep the farm busy for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What came of handing in a result."""

    accepted: bool
    """False for a late one, which changes nothing."""
    superseded: bool = False
    """Whether the same content was there already: the attempt's own object is not needed."""
    export_id: str | None = None
    """The export that went on by it."""


async def queue_intake(connection: Connection, export_id: str) -> None:
    """Let a new export begin."""
    await _QUERIES.execute(connection, "insert_intake", id=export_id)
    await _tell(connection, export_id)


async def queue_probe(connection: Connection, asset_id: str, user_id: str, spec: ProbeSpec) -> None:
    """Have a worker look at an uploaded file."""
    await _QUERIES.execute(
        connection,
        "insert_probe",
        asset_id=asset_id,
        user_id=user_id,
        spec=Jsonb(spec.model_dump(mode="json")),
    )


async def queue_preview(
    connection: Connection, preview_id: str, user_id: str, spec: PreviewSpec
) -> None:
    """Have a worker make a preview."""
    await _QUERIES.execute(
        connection,
        "insert_preview",
        preview_id=preview_id,
        user_id=user_id,
        spec=Jsonb(spec.model_dump(mode="json")),
        key=spec.key,
    )


async def cancel_export(
    connection: Connection, user_id: str, export_id: str, reason: str = "Cancelled by its owner."
) -> Row:
    """Cancel an export; the dispatcher stops what is under way. A second time does no harm.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has completed or failed.
    """
    row = await _lock(connection, export_id, user_id)
    if row["status"] == ExportStatus.CANCELLED:
        return row
    await _change(connection, row, ExportAction.CANCEL, "cancel_export", reason=reason)
    await _QUERIES.execute(connection, "cancel_items", id=export_id)
    await _tell(connection, export_id)
    return await _lock(connection, export_id, user_id)


async def retry_export(connection: Connection, user_id: str, export_id: str) -> Row:
    """Queue a failed or cancelled export again; segments that still stand are reused.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has neither failed nor been cancelled.
    """
    row = await _lock(connection, export_id, user_id)
    await _change(
        connection, row, ExportAction.RETRY, "retry_export", reason="Tried again by its owner."
    )
    await _QUERIES.execute(connection, "drop_items", id=export_id)
    await queue_intake(connection, export_id)
    return await _lock(connection, export_id, user_id)


async def set_priority(connection: Connection, user_id: str, export_id: str, priority: int) -> Row:
    """Let an export come earlier or later; acts on everything that is not under way.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        ConflictError: It has ended.
    """
    row = await _lock(connection, export_id, user_id)
    if ExportStatus(row["status"]).ended:
        raise ConflictError(f"The export is {row['status']}; its priority matters no more.")
    await _QUERIES.execute(connection, "prioritise_export", id=export_id, priority=priority)
    await _QUERIES.execute(connection, "prioritise_items", id=export_id, priority=priority)
    return await _lock(connection, export_id, user_id)


async def claim_item(
    connection: Connection, item_id: int, export_id: str | None, epoch: int
) -> int | None:
    """Begin the first attempt of an item; its id, or None if the item waits no more."""
    row = await _lock(connection, export_id) if export_id is not None else None
    claimed = await _QUERIES.one(connection, "claim_item", id=item_id, epoch=epoch)
    if claimed is None:
        return None
    attempt_id = await add_attempt(connection, item_id, epoch)
    assert attempt_id is not None  # noqa: S101  # claimed in this transaction
    if row is not None and row["status"] == ExportStatus.QUEUED:
        await _change(connection, row, ExportAction.BEGIN, "begin_export")
        await _tell(connection, row["id"])
    return attempt_id


async def add_attempt(connection: Connection, item_id: int, epoch: int) -> int | None:
    """Begin one more attempt of an item that is under way; its id, or None if it is not."""
    attempt = await _QUERIES.one(connection, "insert_attempt", item_id=item_id, epoch=epoch)
    return None if attempt is None else int(attempt["id"])


async def commit_attempt(
    connection: Connection,
    attempt_id: int,
    report: Spec,
    *,
    worker: str | None,
    retention_s: float,
    plan: tuple[ExportPlan, list[str]] | None = None,
) -> Committed:
    """Hand in the result of an attempt.

    Args:
        connection: Inside a transaction.
        attempt_id: Whose result it is.
        report: What the worker tells.
        worker: Who it was.
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
        await _end(connection, attempt_id, "late", worker)
        # Forgotten since, maybe; but what it made may stand.
        key = getattr(report, "key", None)
        found = key and await _QUERIES.one(connection, "artifact_of", key=key)
        return Committed(accepted=bool(found))
    content_key, stored = item["content_key"], storable(report.model_dump(mode="json"))
    superseded = False
    if content_key is not None:
        assert isinstance(report, _Stored)  # noqa: S101
        artifact = await _QUERIES.one(
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
    await _end(connection, attempt_id, "committed", worker)
    await _finish(connection, item, stored)
    await _go_on(connection, item, stored, retention_s, plan)
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
        await _lock(connection, export_id)
    item = await _QUERIES.one(connection, "lock_item", id=item_id)
    if item is None or item["status"] != "ready":
        return
    if export_id is None:
        found = await _QUERIES.one(connection, "use_artifact", key=item["content_key"])
        if found is not None:
            await _finish(connection, item, found["report"])
            await verdicts.show_preview(connection, item["preview_id"], found["report"])
        return
    for done in await _reuse(connection, export_id):
        if done["kind"] == "stitch":
            await _complete(connection, export_id, done["report"], retention_s)
            return
    await _advance(connection, export_id)


async def fail_attempt(
    connection: Connection, attempt_id: int, error: MidifarmError, *, worker: str | None
) -> None:
    """Note that an attempt failed: its item is tried again or fails its export."""
    item = await _lock_attempt(connection, attempt_id)
    if item is None or item["outcome"] is not None or item["status"] != "running":
        await _end(connection, attempt_id, "cancelled", worker)
        return
    await _end(connection, attempt_id, "failed", worker, error)
    lost = isinstance(error, DamagedObjectError | ObjectNotFoundError)
    if item["kind"] == "stitch" and lost and await _remake(connection, item["export_id"], error):
        return
    if item["kind"] == "stitch" and isinstance(error, OversizeError):
        await _shrink(connection, item["export_id"], error)
        return
    counts = {
        "suspect": item["suspect"] + (error.kind is ErrorKind.SUSPECT),
        "transient": item["transient"] + (error.kind is ErrorKind.TRANSIENT),
    }
    # A storage that is down says nothing about an uploaded file.
    patient = item["kind"] == "probe" and error.kind is ErrorKind.TRANSIENT
    if patient or may_retry(error.kind, **counts):
        left = await _QUERIES.one(connection, "attempts_under_way", item_id=item["id"])
        if left and left["count"]:
            await _QUERIES.execute(connection, "count_failure", id=item["id"], **counts)
        else:
            await _QUERIES.execute(
                connection, "release_item", id=item["id"], wait_s=back_off_s(**counts), **counts
            )
        return
    await _QUERIES.execute(connection, "give_up_item", id=item["id"], **counts)
    match item["kind"]:
        case "probe":
            await verdicts.reject_asset(connection, item["asset_id"], error.message)
        case "preview":
            await verdicts.fail_preview(connection, item["preview_id"], error.message)
        case _:
            reason = {
                ErrorKind.PERMANENT: None,
                ErrorKind.SUSPECT: f"Its {_named(item)} failed {SUSPECT_LIMIT} times.",
                ErrorKind.TRANSIENT: f"Its {_named(item)} was hindered {TRANSIENT_LIMIT} times.",
            }[error.kind]
            row = await _lock(connection, item["export_id"])
            await _fail(connection, row, error, reason)


async def postpone_item(connection: Connection, item_id: int, wait_s: float) -> None:
    """Let a waiting item rest for a while."""
    await _QUERIES.execute(connection, "postpone_item", id=item_id, wait_s=wait_s)


async def forget_artifact(connection: Connection, key: str) -> None:
    """Note that an object does not stand any more."""
    await _QUERIES.execute(connection, "drop_artifacts", keys=[key])


async def release_attempt(connection: Connection, attempt_id: int) -> None:
    """Note that an attempt ended because it was told to; nobody is to blame."""
    item = await _lock_attempt(connection, attempt_id)
    await _end(connection, attempt_id, "cancelled", None)
    if item is None or item["status"] != "running":
        return
    left = await _QUERIES.one(connection, "attempts_under_way", item_id=item["id"])
    if left and left["count"] == 0:
        await _QUERIES.execute(
            connection,
            "release_item",
            id=item["id"],
            wait_s=0,
            suspect=item["suspect"],
            transient=item["transient"],
        )


async def recover(connection: Connection, keep: Collection[int]) -> list[tuple[int, str]]:
    """Free what leaders before this one had under way.

    Returns:
        The attempts that were lost, each with the content key of its item, so that what they
        may have left in the object store can be removed.
    """
    lost = await _QUERIES.all(connection, "lose_attempts", keep=list(keep))
    await _QUERIES.execute(connection, "free_items")
    content = {
        row["id"]: row["content_key"]
        for row in await _QUERIES.all(
            connection, "content_of_items", ids=[row["item_id"] for row in lost]
        )
    }
    return [(row["id"], content[row["item_id"]]) for row in lost if row["item_id"] in content]


async def replan_for(connection: Connection, engine: str) -> int:
    """Plan anew what other engines have begun; how many exports that were."""
    rows = await _QUERIES.all(connection, "other_engines", engine=engine)
    for found in rows:
        row = await _lock(connection, found["id"])
        if row["status"] not in ("rendering", "uploading") or row["engine"] in (None, engine):
            continue  # changed while we waited for it
        await _change(
            connection,
            row,
            ExportAction.RENDER_AGAIN,
            "replan_export",
            reason="The workers were upgraded; it is rendered by one version only.",
        )
        await _QUERIES.execute(connection, "drop_items", id=row["id"])
        await queue_intake(connection, row["id"])
    return len(rows)


async def _lock(connection: Connection, export_id: str, user_id: str | None = None) -> Row:
    row = await _QUERIES.one(connection, "lock_export", id=export_id)
    if row is None or user_id not in (None, row["user_id"]):
        raise NotFoundError(f"There is no export {export_id[:60]}.", export=export_id[:60])
    return row


async def _lock_attempt(connection: Connection, attempt_id: int) -> Row | None:
    """The item of an attempt, locked after its export; None where it is forgotten."""
    found = await _QUERIES.one(connection, "item_of_attempt", id=attempt_id)
    if found is None:
        return None
    if found["export_id"] is not None:
        await _lock(connection, found["export_id"])
    item = await _QUERIES.one(connection, "lock_item", id=found["item_id"])
    # How the attempt stands now, not before the lock was had.
    again = await _QUERIES.one(connection, "item_of_attempt", id=attempt_id)
    return item | {"outcome": again["outcome"]} if item and again else None


async def _change(
    connection: Connection, row: Row, action: ExportAction, query: str, **values: Any
) -> None:
    status = next_status(ExportStatus(row["status"]), action)
    await _QUERIES.execute(connection, query, id=row["id"], status=str(status), **values)


async def _tell(connection: Connection, export_id: str, *, passing: bool = False) -> None:
    await _QUERIES.execute(connection, "tell_export", id=export_id, passing=passing)


async def _end(
    connection: Connection,
    attempt_id: int,
    outcome: str,
    worker: str | None,
    error: MidifarmError | None = None,
) -> None:
    await _QUERIES.execute(
        connection,
        "end_attempt",
        id=attempt_id,
        outcome=outcome,
        worker=worker,
        error_kind=str(error.kind) if error else None,
        error_message=storable(error.message) if error else None,
    )


async def _finish(connection: Connection, item: Row, report: dict[str, Any]) -> None:
    await _QUERIES.execute(connection, "finish_item", id=item["id"], report=Jsonb(report))


async def _go_on(
    connection: Connection,
    item: Row,
    report: dict[str, Any],
    retention_s: float,
    plan: tuple[ExportPlan, list[str]] | None,
) -> None:
    """What follows from a finished item."""
    export_id = item["export_id"]
    match item["kind"]:
        case "probe":
            await verdicts.accept_asset(connection, item["asset_id"], report["facts"])
        case "preview":
            await verdicts.show_preview(connection, item["preview_id"], report)
        case "intake":
            assert plan is not None  # noqa: S101  # whoever commits an intake has planned
            await _plan(connection, export_id, *plan)
        case "survey":
            await _survey(connection, export_id, report)
            await _advance(connection, export_id)
        case "chunk":
            frames = item["stop_frame"] - item["start_frame"]
            done = [{"kind": "chunk", "frames": frames}]
            await planned.count_done(connection, export_id, done, cached=False)
            await _advance(connection, export_id)
        case "audio":
            await planned.warn(connection, export_id, report["warnings"])
            await _advance(connection, export_id)
        case "stitch":
            await _complete(connection, export_id, report, retention_s)


async def _plan(
    connection: Connection, export_id: str, plan: ExportPlan, warnings: list[str]
) -> None:
    await _QUERIES.execute(
        connection,
        "plan_export",
        id=export_id,
        stage="rendering" if plan.survey is None else "surveying",
        engine=plan.engine,
        plan=Jsonb(plan.model_dump(mode="json")),
        frames=plan.frames,
        chunks=len(plan.whole().chunks),
        warnings=Jsonb(storable(warnings)),
        progress=PLANNED,
    )
    await planned.add_first(connection, export_id, plan)
    await _reuse(connection, export_id)
    await _tell(connection, export_id)
    await _advance(connection, export_id)


async def _survey(connection: Connection, export_id: str, found: dict[str, Any]) -> None:
    """Let the chunks begin, now that what they need to know was found."""
    row = await _lock(connection, export_id)
    plan = ExportPlan.model_validate(row["plan"]).surveyed(SurveyReport.model_validate(found))
    await _QUERIES.execute(
        connection, "survey_export", id=export_id, plan=Jsonb(plan.model_dump(mode="json"))
    )
    await planned.add_chunks(connection, export_id, plan)
    await _reuse(connection, export_id)
    await _tell(connection, export_id)


async def _reuse(connection: Connection, export_id: str) -> list[Row]:
    """Take whatever stands already; the items that are done by it."""
    found = await _QUERIES.all(connection, "reuse_artifacts", id=export_id)
    await planned.count_done(connection, export_id, found, cached=True)
    for item in found:
        match item["kind"]:
            case "audio":
                await planned.warn(connection, export_id, item["report"]["warnings"])
            case "survey":
                await _survey(connection, export_id, item["report"])
    return found


async def _advance(connection: Connection, export_id: str) -> None:
    """Stitch, when everything else is done; or render again what missed its rate or its size."""
    if not await planned.is_finished(connection, export_id):
        await _tell(connection, export_id, passing=True)
        return
    row = await _lock(connection, export_id)
    plan = ExportPlan.model_validate(row["plan"])
    segments, sound = await planned.results(connection, export_id)
    size_bytes = sum(segment.size_bytes for segment in segments)
    if await _refit(connection, row, plan, size_bytes, sound.size_bytes if sound else 0):
        return
    spec = stitch_of(plan.whole(), segments, sound)
    await _change(connection, row, ExportAction.STITCH, "stitch_export", progress=RENDERED)
    await planned.add_stitch(connection, export_id, spec, spec.key)
    await _tell(connection, export_id)


async def _refit(
    connection: Connection, row: Row, plan: ExportPlan, segments_bytes: int, audio_bytes: int
) -> bool:
    """Render again what missed its rate or its size; whether the export goes on, or ends, so."""
    try:
        again = refit(plan, segments_bytes, audio_bytes)
    except CompositionError as exc:
        await _fail(connection, row, exc)
        return True
    if again is None:
        return False
    if row["renderings"] >= _MOST_RENDERINGS:
        error = CompositionError(
            f"After {row['renderings']} renderings the video still misses the rate or the size "
            "that was asked for; choose another bitrate or a smaller resolution."
        )
        await _fail(connection, row, error)
        return True
    await _change(
        connection,
        row,
        ExportAction.RENDER_AGAIN,
        "rerender_export",
        plan=Jsonb(again.model_dump(mode="json")),
        reason=planned.why_again(again, segments_bytes + audio_bytes),
    )
    await planned.drop_chunks(connection, row["id"])
    await planned.add_chunks(connection, row["id"], again)
    await _reuse(connection, row["id"])
    await _tell(connection, row["id"])
    await _advance(connection, row["id"])
    return True


async def _shrink(connection: Connection, export_id: str, error: OversizeError) -> None:
    """Render again what is too large only as a whole, or fail its export."""
    row = await _lock(connection, export_id)
    plan = ExportPlan.model_validate(row["plan"])
    segments, _ = await planned.results(connection, export_id)
    segments_bytes = sum(segment.size_bytes for segment in segments)
    # What the container adds counts as sound: it is there whatever the rate.
    beside_bytes = max(0, int(error.facts["size_bytes"]) - segments_bytes)
    if not await _refit(connection, row, plan, segments_bytes, beside_bytes):
        await _fail(connection, row, error)


async def _complete(
    connection: Connection, export_id: str, report: dict[str, Any], retention_s: float
) -> None:
    row = await _lock(connection, export_id)
    plan, size_bytes = ExportPlan.model_validate(row["plan"]), report["size_bytes"]
    if plan.max_bytes is not None and size_bytes > plan.max_bytes:
        # Found, and made for somebody whose platform takes it.
        told = f"The video has {size_bytes:,} bytes, {plan.max_bytes:,} are allowed."
        await _shrink(connection, export_id, OversizeError(told, size_bytes=size_bytes))
        return
    await _change(
        connection,
        row,
        ExportAction.COMPLETE,
        "complete_export",
        key=report["key"],
        poster_key=report.get("poster_key"),
        size_bytes=size_bytes,
        sha256=report["sha256"],
        duration_s=float(plan.duration_s),
        retention_s=retention_s,
    )
    await _tell(connection, export_id)


async def _fail(
    connection: Connection, row: Row, error: MidifarmError, reason: str | None = None
) -> None:
    """End an export that cannot be finished."""
    log = error.facts.get("log")
    await _change(
        connection,
        row,
        ExportAction.FAIL,
        "fail_export",
        reason=reason,
        message=storable(error.message),
        log=storable(str(log)) if log else None,
    )
    await _QUERIES.execute(connection, "cancel_items", id=row["id"])
    await _tell(connection, row["id"])


async def _remake(connection: Connection, export_id: str, error: MidifarmError) -> bool:
    """Have those items made again whose objects are lost or damaged; whether that is possible."""
    keys = [str(key) for key in error.facts.get("keys") or [error.facts.get("key")]]
    made = await _QUERIES.all(
        connection, "remake_items", export_id=export_id, keys=keys, limit=TRANSIENT_LIMIT
    )
    if not made:
        return False
    await _QUERIES.execute(connection, "lose_results", item_ids=[item["id"] for item in made])
    await _QUERIES.execute(connection, "drop_artifacts", keys=keys)
    await planned.drop_stitch(connection, export_id)
    row = await _lock(connection, export_id)
    what = "segment" if any(item["kind"] == "chunk" for item in made) else "sound"
    await _change(
        connection,
        row,
        ExportAction.RENDER_AGAIN,
        "render_again",
        reason=f"A stored {what} was lost or damaged.",
    )
    await planned.count_lost(connection, export_id, made)
    await _tell(connection, export_id)
    return True


def _named(item: Row) -> str:
    return f"chunk {item['chunk_index']}" if item["kind"] == "chunk" else str(item["kind"])
