"""The farm: how its dispatcher writes that it is, what operators order, and what they see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg.types.json import Jsonb

from coordinator.database.connection import Connection, Queries, Row
from coordinator.ports import Node
from shared.errors import NotFoundError

_QUERIES: Final = Queries("farm")

_GONE_S: Final = 60.0
"""A node that was not seen for so long is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What operators want of the dispatcher."""

    paused: bool = False
    """Whether nothing begins."""
    draining: frozenset[str] = frozenset()
    """Ids of nodes that get nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an attempt under way runs, and how far it is."""

    attempt_id: int
    """Of the attempt."""
    node: str | None
    """Id of the node; None before it has begun."""
    worker: str | None
    """The process."""
    frames: int
    """Frames done."""
    wall_s: float | None
    """Seconds since its beginning, to some seconds; None before."""


async def read_orders(connection: Connection) -> Orders:
    """What operators want at this moment."""
    row = await _QUERIES.one(connection, "orders")
    assert row is not None  # noqa: S101  # the table has one row
    return Orders(paused=row["is_paused"], draining=frozenset(row["draining"]))


async def note_nodes(
    connection: Connection, nodes: Collection[Node], resting: Mapping[str, float]
) -> None:
    """Write down which nodes live, and forget those that are gone.

    Args:
        connection: Inside a transaction.
        nodes: As the cluster has them.
        resting: For how many seconds nodes are set aside, by their ids.
    """
    living = [node for node in nodes if node.alive]
    told = [
        {
            "id": node.id,
            "name": node.name,
            "cpus": node.cpus,
            "gpus": node.gpus,
            "slots": node.slots,
            "pools": sorted(node.pools),
            "engine": node.engine,
            "renderer": node.renderer,
            "kept_out": node.kept_out,
            "is_leaving": node.is_leaving,
            "rest_s": resting.get(node.id),
        }
        for node in living
    ]
    await _QUERIES.execute(connection, "note_nodes", nodes=Jsonb(told))
    await _QUERIES.execute(connection, "forget_nodes", gone_s=_GONE_S)


async def note_pools(connection: Connection, pools: Mapping[str, int]) -> None:
    """Write down which pools are served.

    Args:
        connection: Inside a transaction.
        pools: Slots by pool.
    """
    names = sorted(pools)
    await _QUERIES.execute(
        connection, "note_pools", names=names, slots=[pools[name] for name in names]
    )
    await _QUERIES.execute(connection, "forget_pools", names=names)


async def note_places(connection: Connection, places: Collection[Place]) -> None:
    """Write down where attempts run, and how far they are."""
    await _QUERIES.execute(
        connection,
        "note_places",
        ids=[place.attempt_id for place in places],
        nodes=[place.node for place in places],
        workers=[place.worker for place in places],
        frames=[place.frames for place in places],
        walls_s=[place.wall_s for place in places],
    )


async def get_dispatcher(connection: Connection) -> Row:
    """Who leads, how long it has been silent, how many slots there are, whether it is paused."""
    row = await _QUERIES.one(connection, "get_dispatcher")
    assert row is not None  # noqa: S101  # the table has one row
    return row


async def list_nodes(connection: Connection) -> Sequence[Row]:
    """The living nodes, each with how many attempts it is at."""
    return await _QUERIES.all(connection, "list_nodes")


async def list_running(connection: Connection, *, limit: int) -> Sequence[Row]:
    """What runs where; what has run longest comes first."""
    return await _QUERIES.all(connection, "list_running", limit=limit)


async def list_users(connection: Connection, *, limit: int) -> Sequence[Row]:
    """What waits and runs by user; the most urgent comes first."""
    return await _QUERIES.all(connection, "list_users", limit=limit)


async def pause(connection: Connection, user_id: str, reason: str | None) -> None:
    """Let nothing more begin. A second time keeps who was first, and since when."""
    await _QUERIES.execute(connection, "pause", user_id=user_id, reason=reason)


async def resume(connection: Connection) -> None:
    """Let work begin again."""
    await _QUERIES.execute(connection, "resume")
    await _QUERIES.execute(connection, "wake_dispatcher")


async def drain(connection: Connection, node_id: str, *, draining: bool) -> Row:
    """Give a node nothing more, or something again.

    Raises:
        NotFoundError: There is no such node.
    """
    if not await _QUERIES.execute(connection, "drain", id=node_id, draining=draining):
        raise NotFoundError(f"There is no node {node_id[:60]}; it may have left the cluster.")
    await _QUERIES.execute(connection, "wake_dispatcher")
    (row,) = [each for each in await list_nodes(connection) if each["id"] == node_id]
    return row


async def get_user(connection: Connection, user_id: str) -> Row:
    """What a user has queued, under way and stored; zeros for who has nothing."""
    row = await _QUERIES.one(connection, "get_user", user_id=user_id)
    assert row is not None  # noqa: S101  # it counts
    return row


async def get_waiting(connection: Connection, user_id: str | None, export_id: str) -> Row:
    """What an export may be waiting for, as coordinator.waiting decides on.

    Args:
        connection: Any.
        user_id: Whose it must be; None for anybody's.
        export_id: Which.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
    row = await _QUERIES.one(connection, "get_waiting", id=export_id, user_id=user_id)
    if row is None:
        raise NotFoundError(f"There is no export {export_id[:60]}.", export=export_id[:60])
    return row
