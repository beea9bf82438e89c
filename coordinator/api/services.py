"""What every request has at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from coordinator.api.hub import Hub
from coordinator.api.identities import Identities
from coordinator.api.known_keys import KnownKeys
from coordinator.api.known_links import KnownLinks
from coordinator.api.limits import ApiLimits
from coordinator.api.metrics import Metrics
from coordinator.api.preview_watch import PreviewWatch
from coordinator.api.readiness import ReadinessCheck
from coordinator.api.scaling import Scaler
from coordinator.database import Database
from coordinator.fetching import Fetcher
from coordinator.reaching import Reach
from shared.storage import ObjectStore
from shared.traces import Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one API process."""

    database: Database
    """Where everything is."""
    store: ObjectStore
    """Where the bytes are; synchronous, so called in threads."""
    limits: ApiLimits
    """Limits."""
    keys: KnownKeys
    """The API keys."""
    identities: Identities
    """Who may use the API, and how often."""
    links: KnownLinks
    """The links that anybody may follow."""
    metrics: Metrics
    """What is counted."""
    hub: Hub
    """What is told of exports."""
    previews: PreviewWatch
    """Which previews have come."""
    scaler: Scaler
    """Makes small pictures of our own pictures."""
    fetcher: Fetcher
    """Fetches images that are named by address."""
    receivers: Reach
    """Reaches the receivers of webhooks."""
    readiness: ReadinessCheck
    """How the parts stand."""
    tracer: Tracer | None
    """Told what was done for each export; None tells nobody."""
    slot_prices: Mapping[str, float]
    """Prices of an hour of a slot, by pool."""
    grafana_url: str | None
    """Where the farm's dashboards are."""


# Like all that routes depend on, a coroutine: plain functions would be run in threads.
async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Parts = Annotated[Services, Depends(_services)]
"""A route's parameter: the parts of this API process."""
