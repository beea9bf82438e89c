"""``/healthz`` and ``/readyz``: whether the process lives, and whether it can be of use."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from coordinator.api.readiness import Readiness
from coordinator.api.services import Parts

router: Final = APIRouter(tags=["health"])


class Health(BaseModel):
    """That the process answers."""

    status: str = Field(default="ok", description="Always `ok`.")


@router.get("/healthz")
async def is_alive() -> Health:
    """Whether the process answers."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready."}})
async def is_ready(services: Parts, response: Response) -> Readiness:
    """Whether the process can serve requests; a dispatcher that is away is told, no more."""
    readiness = await services.readiness.ask()
    if not readiness.ready:
        response.status_code = 503
    return readiness
