"""``/v1/farm/throughput`` and ``failures``: what came of the farm's work lately."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from coordinator.api.auth import ByOperator
from coordinator.api.problems import documented
from coordinator.api.services import Parts
from coordinator.database import outcomes

router: Final = APIRouter(prefix="/farm", tags=["farm"], responses=documented(401, 403, 422, 503))

Minutes = Annotated[int, Query(ge=1, le=180, description="How many minutes to look back.")]


class MinuteOfWork(BaseModel):
    """What was done in a minute."""

    at: datetime = Field(description="When it began.")
    frames: int = Field(description="Frames of the chunks that were committed.")
    chunks: int = Field(description="Chunks that were committed.")
    exports_completed: int = Field(description="Exports that were completed.")
    exports_failed: int = Field(description="Exports that failed.")
    attempts_failed: int = Field(description="Attempts that failed, at whatever.")
    attempts_lost: int = Field(description="Attempts that were lost with their dispatcher.")


class Throughput(BaseModel):
    """What was done lately."""

    minutes: list[MinuteOfWork] = Field(
        description="Every minute, oldest first; the last one is still going on."
    )


class Failure(BaseModel):
    """An attempt that came to nothing."""

    attempt_id: int = Field(description="Number of the attempt.")
    kind: str = Field(description="probe, preview, intake, survey, audio, chunk or stitch.")
    export_id: str | None = Field(description="What it is part of; null: a probe or a preview.")
    export_name: str | None = Field(description="What that is called.")
    chunk_index: int | None = Field(description="Which chunk.")
    user_id: str = Field(description="Whose it is.")
    number: int = Field(description="Which try, counted from 1.")
    node: str | None = Field(description="Id of the node; null: it never began.")
    worker: str | None = Field(description="The process.")
    started_at: datetime = Field(description="When it was given out.")
    ended_at: datetime = Field(description="When it ended.")
    outcome: Literal["failed", "lost"] = Field(
        description="`lost`: its dispatcher went away, or what it made did."
    )
    error_kind: str | None = Field(description="permanent, transient or suspect.")
    error_message: str | None = Field(description="What went wrong.")
    has_log: bool = Field(description="Whether something was said in it.")


class NodeOutcomes(BaseModel):
    """How the attempts of a node ended."""

    id: str = Field(description="Ray's id, new with every start of the node.")
    name: str | None = Field(description="Its host name or address; null: it is gone.")
    committed: int = Field(description="Attempts whose result was accepted.")
    failed: int = Field(description="Attempts that failed.")
    lost: int = Field(description="Attempts that were lost.")
    set_aside_until: datetime | None = Field(
        description="Until when it gets nothing while there are others, since all failed on it; "
        "null: it gets work."
    )


class Failures(BaseModel):
    """What failed lately, and where."""

    attempts: list[Failure] = Field(description="Newest first.")
    nodes: list[NodeOutcomes] = Field(
        description="By name: those that live, and those that are gone and were at work."
    )


@router.get("/throughput")
async def get_throughput(
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    minutes: Minutes = 60,
) -> Throughput:
    """What was done in each of the last minutes, also where that is nothing."""
    async with services.database.reading() as connection:
        rows = await outcomes.list_throughput(connection, minutes=minutes)
    return Throughput(minutes=[MinuteOfWork(**row) for row in rows])


@router.get("/failures")
async def get_failures(
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    minutes: Minutes = 60,
    limit: Annotated[int, Query(ge=1, le=1000, description="Attempts at most.")] = 100,
) -> Failures:
    """The attempts that failed or were lost lately, and how attempts ended on each node."""
    async with services.database.transaction() as connection:
        failed = await outcomes.list_failures(connection, minutes=minutes, limit=limit)
        nodes = await outcomes.count_by_node(connection, minutes=minutes)
    return Failures(
        attempts=[Failure(**row) for row in failed], nodes=[NodeOutcomes(**row) for row in nodes]
    )
