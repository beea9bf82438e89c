"""An API process with a database that has a long history: what the benchmarks of clients ask."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Final

import httpx
from pydantic import SecretStr

from coordinator.database import Database, api_keys
from coordinator.database.migrations import migrate
from coordinator.postgres import EmbeddedPostgres
from coordinator.scopes import Scope
from coordinator.serve.child import MIDIFARM, Child
from coordinator.serve.listening import listen, url_of
from coordinator.settings import ServiceSettings, environment
from shared.presets import PRESETS
from tests.bench.history import Connection
from tests.songs import SongFile

FORMATS: Final = [name for name in PRESETS if name != "custom"][:10]
_READY_S: Final = 60.0


@contextmanager
def running_database(folder: Path) -> Iterator[str]:
    """A PostgreSQL of its own with our tables, kept in a folder; its address."""
    # PostgreSQL runs as another user where we are root.
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder.chmod(0o711)
    with EmbeddedPostgres(folder / "postgres") as database:
        asyncio.run(_migrate(database.url))
        yield database.url


async def _migrate(url: str) -> None:
    async with Database(url, most=1) as database:
        await migrate(database)


@contextmanager
def running_api(database_url: str, folder: Path) -> Iterator[str]:
    """An API process as ``midifarm serve`` starts it; its address."""
    settings = ServiceSettings(database_url=SecretStr(database_url), data_dir=folder)
    with listen("127.0.0.1", 0) as listening:
        handle = listening.fileno()
        child = Child(
            "api",
            [*MIDIFARM, "api", "--fd", str(handle)],
            log=folder / "api.log",
            environment={**os.environ, **environment(settings)},
            pass_fds=(handle,),
        )
        child.start()
        try:
            url = url_of(listening)
            # It waits in the socket's queue until the process serves it.
            httpx.get(f"{url}/v1/presets", timeout=_READY_S)
            yield url
        finally:
            child.send(SIGTERM)
            while child.poll() is None:
                time.sleep(0.05)


def add_key(connection: Connection, user_id: str, scope: Scope = Scope.USER) -> str:
    """A new key of a user's."""
    token = api_keys.new_token()
    connection.execute(
        "insert into api_keys (id, user_id, name, token_hash, scope)"
        " values (%s, %s, 'bench', %s, %s)",
        (f"key_{token[-20:]}", user_id, api_keys.token_hash(token), scope),
    )
    return token


def add_templates(connection: Connection, url: str) -> None:
    """Have the API accept what others are made like: exports of the user ``template``."""
    song = SongFile("Bench")
    for number in range(4):
        song.note(number / 2, number / 2 + 0.5, 60 + number)
    token = add_key(connection, "template")
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        asset = client.post("/v1/assets", content=song.to_bytes()).raise_for_status().json()
        document = {"name": "Song", "midi": asset["id"], "style": "aurora"}
        made = client.post("/v1/compositions", json=document).raise_for_status().json()
        body = {"composition_id": made["id"], "presets": FORMATS}
        client.post("/v1/exports", json=body).raise_for_status()
