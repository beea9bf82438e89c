"""Attempts under way, as the dispatcher keeps them in memory."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.dispatcher.choosing import Waiting
from shared.errors import MidifarmError


@dataclass(slots=True)
class Running:
    """An attempt under way."""

    id: int
    item: Waiting
    submitted_s: float
    frames: int = 0
    started_s: float | None = None
    node: str | None = None
    moved_s: float = 0.0
    told_s: float | None = None
    """When it was told to stop."""
    killed_s: float = float("-inf")
    """When its process was ended last."""
    verdict: MidifarmError | None = None
    """Why we stopped it, where it is to blame."""
    second: bool = False
    """Whether it runs beside another attempt of its item."""

    @property
    def name(self) -> str:
        """What it is called in the cluster, and in the keys of what it writes."""
        return f"a{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubmitted:
    """The outcome of an attempt that no worker heard of."""

    attempt: str
    error: MidifarmError | None
    report: None = None
    node: None = None
    worker: None = None
    wall_s: None = None
