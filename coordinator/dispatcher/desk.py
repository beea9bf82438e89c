"""What the parts of a dispatcher share."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.database import Database
from coordinator.dispatcher.briefing import Briefing
from coordinator.dispatcher.clock import Clock
from coordinator.dispatcher.durations import Durations
from coordinator.dispatcher.farm import Farm
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.suspects import Suspects
from coordinator.dispatcher.telling import Telling
from coordinator.dispatcher.tracing import Tracing
from coordinator.dispatcher.under_way import UnderWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the parts of a dispatcher share; each has one of it."""

    database: Database
    """The truth."""
    under_way: UnderWay
    """The attempts, and the cluster that makes them."""
    farm: Farm
    """Its nodes, and what operators want of them."""
    suspects: Suspects
    """What fails too often."""
    durations: Durations
    """What is usual."""
    briefing: Briefing
    """What workers are told."""
    telling: Telling
    """What clients are told."""
    janitor: Janitor
    """Removes what nobody needs."""
    limits: Limits
    """How patient we are."""
    metrics: Metrics
    """Told of everything."""
    tracing: Tracing
    """Told of what ends."""
    clock: Clock
    """The time."""
