"""Putting the API together."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Final

from fastapi import APIRouter, FastAPI

from coordinator import web
from coordinator.api import (
    assets,
    attempt_logs,
    audit,
    batches,
    compositions,
    downloads,
    exports,
    farm,
    farm_exports,
    health,
    idempotency,
    keys,
    links,
    me,
    metrics,
    openapi,
    outcomes,
    pictures,
    pools,
    presets,
    previews,
    problems,
    quotas,
    sessions,
    sockets,
    templates,
    use,
    waiting,
    watching,
    webhooks,
)
from coordinator.api.body_limit import BodyLimit
from coordinator.api.deliverer import Deliverer
from coordinator.api.hub import Hub
from coordinator.api.identities import Identities
from coordinator.api.known_keys import KnownKeys
from coordinator.api.known_links import KnownLinks
from coordinator.api.limits import ApiLimits
from coordinator.api.metrics import Measured, Metrics
from coordinator.api.packing import Packed
from coordinator.api.preview_watch import PreviewWatch
from coordinator.api.rate import RateLimit
from coordinator.api.readiness import ReadinessCheck
from coordinator.api.scaling import Scaler
from coordinator.api.services import Services
from coordinator.api.tokens import Provider, Tokens
from coordinator.database import Database
from coordinator.fetching import Fetcher
from coordinator.measured_store import MeasuredStore
from coordinator.reaching import Reach
from shared.storage import ObjectStore
from shared.traces import Tracer

_DESCRIPTION: Final = """\
Renders music videos from MIDI files. Upload the files (assets), say what is drawn and heard
(compositions), ask for videos (exports), watch their progress and download them.

Every error is a problem (RFC 9457) with a `code` that does not change. What belongs to somebody
else is answered like what does not exist."""
_TAGS: Final = [
    {"name": "assets", "description": "Uploaded files."},
    {"name": "compositions", "description": "What is drawn and heard."},
    {"name": "presets", "description": "Named output settings, styles and formats."},
    {"name": "templates", "description": "Branding with a name, in versions."},
    {"name": "previews", "description": "What a video will look like."},
    {"name": "exports", "description": "Videos that are, or are to be, rendered."},
    {"name": "links", "description": "Addresses at which anybody finds a video for a while."},
    {"name": "batches", "description": "Many exports in one call."},
    {"name": "events", "description": "Live progress."},
    {"name": "webhooks", "description": "Who is told how exports and batches end."},
    {"name": "use", "description": "What work took, and what it costs."},
    {"name": "keys", "description": "Who may use the API."},
    {"name": "farm", "description": "The farm as operators see and hold it."},
    {"name": "health", "description": "Whether it works; needs no token."},
]


def create_app(
    *,
    database: Database,
    store: ObjectStore,
    limits: ApiLimits,
    fetcher: Fetcher | None = None,
    provider: Provider | None = None,
    receivers: Reach | None = None,
    tracer: Tracer | None = None,
    slot_prices: Mapping[str, float] | None = None,
    grafana_url: str | None = None,
) -> FastAPI:
    """The API on an opened database and store; its lifespan listens for events, and tells webhooks.

    Args:
        database: Open, with the schema of this program.
        store: Where the bytes are.
        limits: Its limits.
        fetcher: Fetches images that are named by address; one that reaches public hosts alone
            without it.
        provider: Whose tokens are taken beside API keys; nobody's without it.
        receivers: Reaches the receivers of webhooks; those at public hosts alone without it.
        tracer: Told what was done for each export; nobody is without it.
        slot_prices: Prices of an hour of a slot, by pool; use costs nothing without them.
        grafana_url: Where the farm's dashboards are, shown to operators.
    """
    strangers = RateLimit(limits.stranger_per_s, limits.stranger_burst)
    known_keys = KnownKeys(database, limits.key_cache_s, strangers)
    counted = Metrics()
    store = MeasuredStore(store, counted.calls)
    services = Services(
        database=database,
        store=store,
        limits=limits,
        keys=known_keys,
        identities=Identities(
            keys=known_keys,
            tokens=Tokens(provider) if provider is not None else None,
            rate=RateLimit(limits.rate_per_s, limits.rate_burst),
            metrics=counted,
        ),
        links=KnownLinks(database, strangers),
        metrics=counted,
        hub=Hub(database, limits.watch_queue, limits.watch_batch_s),
        previews=PreviewWatch(database, counted),
        scaler=Scaler(),
        fetcher=fetcher or Fetcher(),
        receivers=receivers or Reach(),
        readiness=ReadinessCheck(database, store),
        tracer=tracer,
        slot_prices=slot_prices or {},
        grafana_url=grafana_url,
    )

    counted.watch(services.hub, database)
    deliverer = Deliverer(database, services.receivers, limits.webhooks, counted)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.hub.running(), services.previews.running(), deliverer.running():
            yield

    app = FastAPI(
        title="midifarm",
        summary="The render farm for MIDI music videos.",
        description=_DESCRIPTION,
        version=_version(),
        openapi_tags=_TAGS,
        openapi_url="/v1/openapi.json",
        # Their pages load scripts from the Internet.
        docs_url=None,
        redoc_url=None,
        # An address has one spelling; a redirect would repeat what the client says is our name.
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.add_middleware(
        BodyLimit,
        most=limits.json_bytes,
        # What a file may have depends on its kind: its receiver counts.
        most_at={"/v1/assets": math.inf, "/v1/batches": limits.batch_bytes},
        idle_s=limits.upload_idle_s,
    )
    app.add_middleware(Packed)
    app.add_middleware(Measured, metrics=counted)
    problems.install(app)
    watching.install(app)
    idempotency.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    version = APIRouter(prefix="/v1")
    for module in (
        assets,
        compositions,
        presets,
        templates,
        previews,
        exports,
        batches,
        pools,
        downloads,
        links,
        pictures,
        watching,
        sockets,
        waiting,
        webhooks,
        me,
        sessions,
        keys,
        farm,
        farm_exports,
        outcomes,
        attempt_logs,
        use,
        quotas,
        audit,
    ):
        version.include_router(module.router)
    app.include_router(version)
    openapi.install(app)
    web.install(app)
    return app


def _version() -> str:
    try:
        return metadata.version("midifarm")
    except metadata.PackageNotFoundError:  # run from the sources
        return "0"
