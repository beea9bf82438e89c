"""Putting the API together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from coordinator.api import (
    assets,
    compositions,
    downloads,
    exports,
    health,
    keys,
    pictures,
    presets,
    previews,
    problems,
    templates,
    watching,
)
from coordinator.api.body_limit import BodyLimit
from coordinator.api.hub import Hub
from coordinator.api.known_keys import KnownKeys
from coordinator.api.limits import ApiLimits
from coordinator.api.preview_watch import PreviewWatch
from coordinator.api.readiness import ReadinessCheck
from coordinator.api.services import Services
from coordinator.database import Database
from coordinator.fetching import Fetcher
from shared.storage import ObjectStore

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
    {"name": "keys", "description": "Who may use the API."},
    {"name": "health", "description": "Whether it works; needs no key."},
]


def create_app(
    *,
    database: Database,
    store: ObjectStore,
    limits: ApiLimits,
    fetcher: Fetcher | None = None,
) -> FastAPI:
    """The API on an opened database and store; its lifespan listens for events.

    Args:
        database: Open, with the schema of this program.
        store: Where the bytes are.
        limits: Its limits.
        fetcher: Fetches images that are named by address; one that reaches public hosts alone
            without it.
    """
    services = Services(
        database=database,
        store=store,
        limits=limits,
        keys=KnownKeys(database, limits.key_cache_s),
        hub=Hub(database, limits.watch_queue),
        previews=PreviewWatch(database),
        fetcher=fetcher or Fetcher(),
        readiness=ReadinessCheck(database, store),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.hub.running(), services.previews.running():
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
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.add_middleware(BodyLimit, most=limits.json_bytes)
    problems.install(app)
    watching.install(app)
    app.include_router(health.router)
    version = APIRouter(prefix="/v1")
    for module in (
        assets,
        compositions,
        presets,
        templates,
        previews,
        exports,
        downloads,
        pictures,
        watching,
        keys,
    ):
        version.include_router(module.router)
    app.include_router(version)
    _describe_problems(app)
    return app


def _version() -> str:
    try:
        return metadata.version("midifarm")
    except metadata.PackageNotFoundError:  # run from the sources
        return "0"


def _describe_problems(app: FastAPI) -> None:
    """Have OpenAPI say what problems look like, also instead of FastAPI's own errors."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = generate()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it
