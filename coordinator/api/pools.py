"""``/v1/pools``: the nodes that exports may ask for; operators see what each is at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from coordinator.api.auth import By, ByOperator
from coordinator.api.problems import ApiError, documented
from coordinator.api.services import Parts, Services
from coordinator.database import Connection, pools
from shared.pools import DEFAULT_POOL

router: Final = APIRouter(responses=documented(401, 503))

_MOST: Final = 1000
"""Pools that are shown; a view is no list."""
_MOST_TOLD: Final = 20
"""Pools that a sentence names."""


class Pool(BaseModel):
    """Nodes that an export may ask for by a name."""

    name: str = Field(description="What exports ask for.", examples=["default", "gpu"])
    slots: int = Field(
        description="How many work items its nodes do at a time; 0: none is there at the moment."
    )


class Pools(BaseModel):
    """The pools that an export may ask for."""

    pools: list[Pool] = Field(description="By their names.")


class FarmPool(Pool):
    """A pool as operators see it."""

    is_declared: bool = Field(description="Whether the settings name it (`declared_pools`).")
    nodes: int = Field(description="Nodes that serve it, whether they take work or not.")
    waiting: int = Field(description="Work items that wait for its nodes.")
    running: int = Field(description="Work items under way.")
    seen_at: datetime | None = Field(description="When a node served it last; null: never.")


class FarmPools(BaseModel):
    """The pools of the farm."""

    pools: list[FarmPool] = Field(description="By their names; the first 1000.")


@router.get("/pools", tags=["exports"])
async def list_pools(caller: By, services: Parts) -> Pools:  # noqa: ARG001
    """The pools that an export may ask for."""
    async with services.database.reading() as connection:
        known = await _known(connection, services)
    return Pools(pools=[Pool(name=name, slots=slots) for name, slots in sorted(known.items())])


@router.get("/farm/pools", tags=["farm"], responses=documented(403))
async def list_farm_pools(caller: ByOperator, services: Parts) -> FarmPools:  # noqa: ARG001
    """Each pool with its nodes and slots, and what waits and runs in it."""
    declared = {DEFAULT_POOL, *services.limits.declared_pools}
    async with services.database.reading() as connection:
        rows = await pools.list_pools(connection, declared=declared, limit=_MOST)
    return FarmPools(pools=[FarmPool(**row) for row in rows])


async def refuse_unknown(
    connection: Connection, services: Services, asked: Collection[str]
) -> None:
    """See that somebody serves the pools that are asked for, or will.

    Raises:
        ApiError: Nobody does; names one of them, and the pools that there are.
    """
    if {*asked} <= {DEFAULT_POOL}:
        return
    known = await _known(connection, services)
    unknown = sorted({*asked} - known.keys())
    if unknown:
        names = [DEFAULT_POOL, *sorted(known.keys() - {DEFAULT_POOL})]
        more = ", …" if len(names) > _MOST_TOLD else ""
        raise ApiError(
            422,
            f"No node serves the pool {unknown[0]!r}; there are: "
            f"{', '.join(names[:_MOST_TOLD])}{more}.",
            code="unknown_pool",
        )


async def _known(connection: Connection, services: Services) -> dict[str, int]:
    """Slots by pool, of all that may be asked for."""
    declared = dict.fromkeys((DEFAULT_POOL, *services.limits.declared_pools), 0)
    return declared | await pools.served_pools(connection)
