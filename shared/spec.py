"""The model of what travels to workers and back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Plain data that travels to a worker: frozen, closed, JSON-serialisable."""

    model_config = ConfigDict(frozen=True, extra="forbid")
