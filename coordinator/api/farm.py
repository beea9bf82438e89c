"""``/v1/farm``: what operators see of the farm, and what they do to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.auth import ByOperator
from coordinator.api.known_keys import Caller
from coordinator.api.problems import documented
from coordinator.api.services import Parts, Services
from coordinator.database import Connection, audit, farm
from coordinator.texts import Text

router: Final = APIRouter(prefix="/farm", tags=["farm"], responses=documented(401, 403, 422, 503))

_MOST: Final = 1000
"""Attempts and users that are shown; a view is no list."""

NodeId = Annotated[str, Path(description="The node's id.")]


class PauseRequest(BaseModel):
    """Why the farm is paused."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The storage is being moved."}]}
    )

    reason: Text | None = Field(default=None, description="Shown to everybody who asks.")


class Pause(BaseModel):
    """That nothing begins."""

    since: datetime = Field(description="Since when.")
    by: str | None = Field(description="Who paused it.")
    reason: str | None = Field(description="Why.")


class Node(BaseModel):
    """A machine of the cluster."""

    id: str = Field(description="Ray's id, new with every start of the node.")
    name: str = Field(description="Its host name or address.")
    cpus: float = Field(description="Processors that it offers.")
    gpus: float = Field(description="GPUs that it offers.")
    slots: int = Field(
        description="Work items that it does at a time; 0 until it has said what it is, or where "
        "it is kept out."
    )
    pools: list[str] = Field(description="Names of the pools that it serves.")
    engine: str | None = Field(
        description="What draws and encodes on it, by name and version; null until it has said so."
    )
    renderer: str | None = Field(description="The part of it that draws, a GPU say.")
    kept_out: str | None = Field(description="Why it gets no work, for its operator; null: it may.")
    is_leaving: bool = Field(description="Whether it asked for nothing more itself.")
    draining_at: datetime | None = Field(
        description="Since when it gets nothing more; null: it takes work."
    )
    set_aside_until: datetime | None = Field(
        description="Until when it gets nothing while there are others, since what it does fails; "
        "null: it gets work."
    )
    running: int = Field(description="Attempts that it is at; what drains is empty at 0.")
    first_seen_at: datetime = Field(description="Since when it is known.")
    seen_at: datetime = Field(description="When it was last seen, to some seconds.")


class RunningAttempt(BaseModel):
    """Something that runs."""

    attempt_id: int = Field(description="Number of the attempt.")
    kind: str = Field(description="probe, preview, intake, survey, audio, chunk or stitch.")
    export_id: str | None = Field(description="What it is part of; null: a probe or a preview.")
    export_name: str | None = Field(description="What that is called.")
    chunk_index: int | None = Field(description="Which chunk.")
    user_id: str = Field(description="Whose it is.")
    node: str | None = Field(description="Id of the node; null before it has begun.")
    worker: str | None = Field(description="The process.")
    started_at: datetime = Field(description="When it was given out.")
    frames: int = Field(description="Frames done.")
    frames_total: int | None = Field(description="Frames of the chunk; null: it is none.")


class UserQueue(BaseModel):
    """What waits and runs of one user's."""

    user_id: str = Field(description="Who.")
    ready: int = Field(description="Work items that wait for a slot.")
    held: int = Field(description="Work items of paused exports.")
    running: int = Field(description="Work items under way.")
    priority: int | None = Field(description="The highest of what waits; null: nothing does.")
    exports_queued: int = Field(description="Exports of which nothing has begun.")
    exports_rendering: int = Field(description="Exports that have begun and not ended.")


class FarmView(BaseModel):
    """The farm, as its dispatcher wrote it down a second ago."""

    leader: str | None = Field(description="The dispatcher that leads; null: none does.")
    silent_s: float | None = Field(description="How long ago it gave a sign of life.")
    slots: int = Field(description="How many work items run at a time.")
    paused: Pause | None = Field(description="That nothing begins; null: it does.")
    nodes: list[Node] = Field(description="By their names.")
    running: list[RunningAttempt] = Field(
        description="What runs where; the first 1000, what has run longest before."
    )
    queue: list[UserQueue] = Field(
        description="What waits, by user; the first 1000, the most urgent before."
    )
    grafana_url: str | None = Field(
        description="Where its dashboards are; null: the settings do not say."
    )


@router.get("")
async def get_farm(caller: ByOperator, services: Parts) -> FarmView:  # noqa: ARG001
    """How the farm is: nodes, slots, what runs where, what waits."""
    async with services.database.transaction() as connection:
        return await _view(connection, services)


@router.post("/pause")
async def pause_farm(
    caller: ByOperator, services: Parts, request: Annotated[PauseRequest | None, Body()] = None
) -> FarmView:
    """Let nothing more begin: no work item, no preview, no look at an upload.

    What is under way is finished. A second time does no harm.
    """
    reason = request.reason if request else None
    async with services.database.transaction() as connection:
        await farm.pause(connection, caller.user_id, reason)
        await audit.note(connection, caller, "farm.pause", reason=reason)
        return await _view(connection, services)


@router.post("/resume")
async def resume_farm(caller: ByOperator, services: Parts) -> FarmView:
    """Let work begin again; a second time does no harm."""
    async with services.database.transaction() as connection:
        await farm.resume(connection)
        await audit.note(connection, caller, "farm.resume")
        return await _view(connection, services)


@router.post("/nodes/{node_id}/drain", responses=documented(404))
async def drain_node(node_id: NodeId, caller: ByOperator, services: Parts) -> Node:
    """Give a node nothing more; what it has begun it finishes. A second time does no harm.

    It is empty when `running` is 0. Where all nodes drain, nothing begins.
    """
    return await _drain(node_id, caller, services, draining=True)


@router.post("/nodes/{node_id}/undrain", responses=documented(404))
async def undrain_node(node_id: NodeId, caller: ByOperator, services: Parts) -> Node:
    """Give a node work again."""
    return await _drain(node_id, caller, services, draining=False)


async def _drain(node_id: str, caller: Caller, services: Parts, *, draining: bool) -> Node:
    async with services.database.transaction() as connection:
        row = await farm.drain(connection, node_id, draining=draining)
        action = "node.drain" if draining else "node.undrain"
        await audit.note(connection, caller, action, node_id, name=row["name"])
    return Node(**row)


async def _view(connection: Connection, services: Services) -> FarmView:
    told = await farm.get_dispatcher(connection)
    paused = None
    if told["paused_at"] is not None:
        paused = Pause(since=told["paused_at"], by=told["paused_by"], reason=told["pause_reason"])
    return FarmView(
        leader=told["leader"],
        silent_s=told["silent_s"],
        slots=told["slots"],
        paused=paused,
        nodes=[Node(**row) for row in await farm.list_nodes(connection)],
        running=[RunningAttempt(**row) for row in await farm.list_running(connection, limit=_MOST)],
        queue=[UserQueue(**row) for row in await farm.list_users(connection, limit=_MOST)],
        grafana_url=services.grafana_url,
    )
