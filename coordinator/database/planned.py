"""What a plan leads to: the work items of an export, and counting what stands of them.

It changes no state: that is done in transitions, whose transaction and lock these functions use.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from psycopg.types.json import Jsonb

from coordinator.database import use
from coordinator.database.connection import Connection, Queries, Row
from coordinator.progress import PLANNED, SPAN
from shared.plan import AudioReport, SegmentReport, StitchSpec
from shared.planning import ExportPlan

_QUERIES: Final = Queries("planned")


async def add_first(connection: Connection, export_id: str, plan: ExportPlan) -> None:
    """Add what can begin at once: the sound, and either the survey or the chunks."""
    if plan.survey is not None:
        await _QUERIES.execute(
            connection,
            "insert_survey",
            id=export_id,
            spec=Jsonb(plan.survey.model_dump(mode="json")),
            key=plan.survey.key,
        )
    audio = plan.whole().audio
    if audio is not None:
        await _QUERIES.execute(
            connection,
            "insert_audio",
            id=export_id,
            spec=Jsonb(audio.model_dump(mode="json")),
            key=audio.key,
        )
    if plan.survey is None:
        await add_chunks(connection, export_id, plan)


async def add_chunks(connection: Connection, export_id: str, plan: ExportPlan) -> None:
    """Add the chunks of a plan of which nothing is left to be found out."""
    chunks = plan.whole().chunks
    await _QUERIES.execute(
        connection,
        "insert_chunks",
        id=export_id,
        indexes=[chunk.index for chunk in chunks],
        starts=[chunk.frames.start for chunk in chunks],
        stops=[chunk.frames.stop for chunk in chunks],
        keys=[chunk.key for chunk in chunks],
    )


async def add_stitch(connection: Connection, export_id: str, spec: StitchSpec, key: str) -> None:
    """Add the last work item of an export.

    Args:
        connection: Inside a transaction.
        export_id: Whose it is.
        spec: What the worker is told.
        key: What determines its result.
    """
    await _QUERIES.execute(
        connection,
        "insert_stitch",
        id=export_id,
        spec=Jsonb(spec.model_dump(mode="json")),
        key=key,
    )


async def drop_chunks(connection: Connection, export_id: str) -> None:
    """Forget the chunks of an export, and their stitch."""
    await _QUERIES.execute(connection, "drop_chunks", id=export_id)


async def drop_stitch(connection: Connection, export_id: str) -> None:
    """Forget the stitch of an export."""
    await _QUERIES.execute(connection, "drop_stitch", id=export_id)


async def count_done(
    connection: Connection, export_id: str, items: Collection[Row], *, cached: bool
) -> None:
    """Count those of the items that are chunks as done.

    Args:
        connection: Inside a transaction.
        export_id: Whose they are.
        items: Each with its ``kind`` and ``frames``.
        cached: Whether they were found and not made.
    """
    chunks = [item for item in items if item["kind"] == "chunk"]
    if chunks:
        frames = sum(item["frames"] for item in chunks)
        await _count(connection, export_id, frames, len(chunks), len(chunks) if cached else 0)
        if cached:
            await use.add_found(connection, export_id, frames)


async def count_many(
    connection: Connection, done: Mapping[str, Collection[Row]]
) -> Collection[str]:
    """Count chunks of several exports as made.

    Args:
        connection: Inside a transaction that holds their locks.
        done: The chunks by their exports' ids, each with its ``frames``.

    Returns:
        The exports of which all chunks are done now.
    """
    rows = await _QUERIES.all(
        connection,
        "count_many_chunks",
        ids=list(done),
        frames=[sum(each["frames"] for each in chunks) for chunks in done.values()],
        chunks=[len(chunks) for chunks in done.values()],
        base=PLANNED,
        span=SPAN,
    )
    return [row["id"] for row in rows]


async def count_lost(connection: Connection, export_id: str, items: Collection[Row]) -> None:
    """Count those of the items that are chunks as not done any more."""
    chunks = [item for item in items if item["kind"] == "chunk"]
    if chunks:
        frames = sum(item["frames"] for item in chunks)
        await _count(connection, export_id, -frames, -len(chunks), 0)


async def _count(
    connection: Connection, export_id: str, frames: int, chunks: int, cached: int
) -> None:
    await _QUERIES.execute(
        connection,
        "count_chunks",
        id=export_id,
        frames=frames,
        chunks=chunks,
        cached=cached,
        base=PLANNED,
        span=SPAN,
    )


def why_again(again: ExportPlan, size_bytes: int) -> str:
    """Why a video is rendered again, for people.

    Args:
        again: What is rendered next.
        size_bytes: What segments and sound of the last rendering add up to.
    """
    assert again.picture is not None  # noqa: S101  # only a picture is encoded otherwise
    video, limit = again.picture.video, again.max_bytes
    if limit is not None and (size_bytes > 0.95 * limit or video.target_kbps is None):
        missed = f"The video would have {size_bytes:,} bytes, {limit:,} are allowed"
    else:
        missed = f"The video missed its rate of {video.target_kbps} kbit/s"
    rate = [f"crf {video.crf:g}"] if video.crf is not None else []
    rate += [f"{video.max_kbps} kbit/s at most"] if video.max_kbps is not None else []
    return f"{missed}; it is encoded again at {', '.join(rate)}."


async def warn(connection: Connection, export_id: str, warnings: Collection[Any]) -> None:
    """Note what the owner of an export should know, each sentence once."""
    await _QUERIES.execute(connection, "add_warnings", id=export_id, warnings=Jsonb(list(warnings)))


async def is_finished(connection: Connection, export_id: str) -> bool:
    """Whether all work items that an export has so far are done."""
    left = await _QUERIES.one(connection, "unfinished_items", id=export_id)
    return left is not None and left["count"] == 0


async def results(
    connection: Connection, export_id: str
) -> tuple[list[SegmentReport], AudioReport | None]:
    """The segments of an export in their order, and its sound."""
    rows = await _QUERIES.all(connection, "item_reports", id=export_id)
    segments = [SegmentReport(**row["report"]) for row in rows if row["kind"] == "chunk"]
    sound = [AudioReport(**row["report"]) for row in rows if row["kind"] == "audio"]
    return segments, sound[0] if sound else None
