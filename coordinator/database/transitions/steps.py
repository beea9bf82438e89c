"""What follows from finished work: the next step of its export, or its end."""

from __future__ import annotations

from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database import planned, verdicts
from coordinator.database.connection import Connection, Row
from coordinator.database.storable import storable
from coordinator.database.transitions.changing import QUERIES, change, lock, tell
from coordinator.progress import PLANNED, RENDERED
from shared.attempts import TRANSIENT_LIMIT
from shared.errors import (
    CompositionError,
    MidifarmError,
    OversizeError,
)
from shared.fitting import refit
from shared.plan import SurveyReport
from shared.planning import ExportPlan, stitch_of
from shared.states import ExportAction

_MOST_RENDERINGS: Final = 8
"""shared.fitting gives up before; no mistake there may keep the farm busy for ever."""

_LOG_BYTES: Final = 16_384
"""What is kept of a worker's log: its end, where it says what went wrong."""


async def finish(connection: Connection, item: Row, report: dict[str, Any]) -> None:
    """Note that a work item is done."""
    await QUERIES.execute(connection, "finish_item", id=item["id"], report=Jsonb(report))


async def go_on(
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
            await advance(connection, export_id)
        case "chunk":
            frames = item["stop_frame"] - item["start_frame"]
            done = [{"kind": "chunk", "frames": frames}]
            await planned.count_done(connection, export_id, done, cached=False)
            await advance(connection, export_id)
        case "audio":
            await planned.warn(connection, export_id, report["warnings"])
            await advance(connection, export_id)
        case "stitch":
            await complete(connection, export_id, report, retention_s)


async def _plan(
    connection: Connection, export_id: str, plan: ExportPlan, warnings: list[str]
) -> None:
    await QUERIES.execute(
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
    await reuse(connection, export_id)
    await tell(connection, export_id)
    await advance(connection, export_id)


async def _survey(connection: Connection, export_id: str, found: dict[str, Any]) -> None:
    """Let the chunks begin, now that what they need to know was found."""
    row = await lock(connection, export_id)
    plan = ExportPlan.model_validate(row["plan"]).surveyed(SurveyReport.model_validate(found))
    await QUERIES.execute(
        connection, "survey_export", id=export_id, plan=Jsonb(plan.model_dump(mode="json"))
    )
    await planned.add_chunks(connection, export_id, plan)
    await reuse(connection, export_id)
    await tell(connection, export_id)


async def reuse(connection: Connection, export_id: str) -> list[Row]:
    """Take whatever stands already; the items that are done by it."""
    found = await QUERIES.all(connection, "reuse_artifacts", id=export_id)
    await planned.count_done(connection, export_id, found, cached=True)
    for item in found:
        match item["kind"]:
            case "audio":
                await planned.warn(connection, export_id, item["report"]["warnings"])
            case "survey":
                await _survey(connection, export_id, item["report"])
    return found


async def advance(connection: Connection, export_id: str) -> None:
    """Stitch, when everything else is done; or render again what missed its rate or its size."""
    if not await planned.is_finished(connection, export_id):
        await tell(connection, export_id, passing=True)
        return
    row = await lock(connection, export_id)
    plan = ExportPlan.model_validate(row["plan"])
    segments, sound = await planned.results(connection, export_id)
    size_bytes = sum(segment.size_bytes for segment in segments)
    if await _refit(connection, row, plan, size_bytes, sound.size_bytes if sound else 0):
        return
    spec = stitch_of(plan.whole(), segments, sound)
    await change(connection, row, ExportAction.STITCH, "stitch_export", progress=RENDERED)
    await planned.add_stitch(connection, export_id, spec, spec.key)
    await tell(connection, export_id)


async def _refit(
    connection: Connection, row: Row, plan: ExportPlan, segments_bytes: int, audio_bytes: int
) -> bool:
    """Render again what missed its rate or its size; whether the export goes on, or ends, so."""
    try:
        again = refit(plan, segments_bytes, audio_bytes)
    except CompositionError as exc:
        await fail(connection, row, exc)
        return True
    if again is None:
        return False
    if row["renderings"] >= _MOST_RENDERINGS:
        error = CompositionError(
            f"After {row['renderings']} renderings the video still misses the rate or the size "
            "that was asked for; choose another bitrate or a smaller resolution."
        )
        await fail(connection, row, error)
        return True
    await change(
        connection,
        row,
        ExportAction.RENDER_AGAIN,
        "rerender_export",
        plan=Jsonb(again.model_dump(mode="json")),
        reason=planned.why_again(again, segments_bytes + audio_bytes),
    )
    await planned.drop_chunks(connection, row["id"])
    await planned.add_chunks(connection, row["id"], again)
    await reuse(connection, row["id"])
    await tell(connection, row["id"])
    await advance(connection, row["id"])
    return True


async def shrink(connection: Connection, export_id: str, error: OversizeError) -> None:
    """Render again what is too large only as a whole, or fail its export."""
    row = await lock(connection, export_id)
    plan = ExportPlan.model_validate(row["plan"])
    segments, _ = await planned.results(connection, export_id)
    segments_bytes = sum(segment.size_bytes for segment in segments)
    # What the container adds counts as sound: it is there whatever the rate.
    beside_bytes = max(0, int(error.facts["size_bytes"]) - segments_bytes)
    if not await _refit(connection, row, plan, segments_bytes, beside_bytes):
        await fail(connection, row, error)


async def complete(
    connection: Connection, export_id: str, report: dict[str, Any], retention_s: float
) -> None:
    """End an export whose video is stored; or render it again, where it is too large."""
    row = await lock(connection, export_id)
    plan, size_bytes = ExportPlan.model_validate(row["plan"]), report["size_bytes"]
    if plan.max_bytes is not None and size_bytes > plan.max_bytes:
        # Found, and made for somebody whose platform takes it.
        told = f"The video has {size_bytes:,} bytes, {plan.max_bytes:,} are allowed."
        await shrink(connection, export_id, OversizeError(told, size_bytes=size_bytes))
        return
    await change(
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
    await tell(connection, export_id)


async def fail(
    connection: Connection, row: Row, error: MidifarmError, reason: str | None = None
) -> None:
    """End an export that cannot be finished."""
    await change(
        connection,
        row,
        ExportAction.FAIL,
        "fail_export",
        reason=reason,
        message=storable(error.message),
        log=last_words(error),
    )
    await QUERIES.execute(connection, "cancel_items", ids=[row["id"]])
    await tell(connection, row["id"])


async def remake(connection: Connection, export_id: str, error: MidifarmError) -> bool:
    """Have those items made again whose objects are lost or damaged; whether that is possible."""
    keys = [str(key) for key in error.facts.get("keys") or [error.facts.get("key")]]
    made = await QUERIES.all(
        connection, "remake_items", export_id=export_id, keys=keys, limit=TRANSIENT_LIMIT
    )
    if not made:
        return False
    await QUERIES.execute(connection, "lose_results", item_ids=[item["id"] for item in made])
    await QUERIES.execute(connection, "drop_artifacts", keys=keys)
    await planned.drop_stitch(connection, export_id)
    row = await lock(connection, export_id)
    what = "segment" if any(item["kind"] == "chunk" for item in made) else "sound"
    await change(
        connection,
        row,
        ExportAction.RENDER_AGAIN,
        "render_again",
        reason=f"A stored {what} was lost or damaged.",
    )
    await planned.count_lost(connection, export_id, made)
    await tell(connection, export_id)
    return True


def last_words(error: MidifarmError) -> str | None:
    """The end of what a worker said before it failed; None where it said nothing."""
    log = storable(str(error.facts.get("log") or "")).strip()
    # A character that the cut goes through is left out.
    return log.encode()[-_LOG_BYTES:].decode(errors="ignore") or None


def named(item: Row) -> str:
    """What a work item is called, for people."""
    return f"chunk {item['chunk_index']}" if item["kind"] == "chunk" else str(item["kind"])
