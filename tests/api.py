"""A running API for tests: real HTTP on a loopback socket, a real database, a folder as store."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx
import psycopg
from psycopg.rows import dict_row
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from coordinator.api.app import create_app
from coordinator.api.limits import ApiLimits
from coordinator.api.server import ApiServer
from coordinator.api.tokens import Provider
from coordinator.database import Database, api_keys
from coordinator.database.migrations import migrate
from coordinator.fetching import Fetcher
from coordinator.reaching import Reach
from shared.storage import ObjectStore
from shared.traces import Tracer

WITHIN_S = 20.0
"""Signals that tests wait for come much sooner, also on a busy machine."""


@dataclass(frozen=True)
class Message:
    """One server-sent event, or what a WebSocket carries."""

    place: str | None
    event: str | None
    data: Any
    retry: int | None = None

    @property
    def id(self) -> int | None:
        """The event that it tells, or comes after."""
        return None if self.place is None else int(self.place.removesuffix("-end"))


class Stream:
    """An open stream of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        """Read from a response that has begun."""
        self.response = response
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[Message]:
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                found, fields = fields, {}
                if found.keys() & {"data", "retry"}:
                    yield Message(
                        place=found.get("id"),
                        event=found.get("event"),
                        data=json.loads(found["data"]) if "data" in found else None,
                        retry=int(found["retry"]) if "retry" in found else None,
                    )

    def rest(self) -> list[Message]:
        """Everything until the server closes, without the first word about reconnecting."""
        return list(self.told())

    def told(self) -> Iterator[Message]:
        """The same, as it comes."""
        return (message for message in self if message.data is not None)


class RunningApi:
    """An API process's inside, in a thread of the test's own process."""

    def __init__(
        self,
        url: str,
        store: ObjectStore,
        limits: ApiLimits | None = None,
        fetcher: Fetcher | None = None,
        provider: Provider | None = None,
        receivers: Reach | None = None,
        tracer: Tracer | None = None,
        slot_prices: Mapping[str, float] | None = None,
        grafana_url: str | None = None,
    ) -> None:
        """Prepare to serve a database, which is migrated, and a store."""
        self._fetcher = fetcher
        self._provider = provider
        self._receivers = receivers
        self._tracer = tracer
        self._slot_prices = slot_prices
        self._grafana_url = grafana_url
        self.database_url = url
        self.store = store
        self._limits = limits or ApiLimits()
        self._stack = ExitStack()
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self.server: ApiServer | None = None

    def __enter__(self) -> Self:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="api")
        self._thread.start()
        assert self._ready.wait(WITHIN_S)
        if self._error is not None:
            raise self._error
        self.visitor = self._stack.enter_context(httpx.Client(base_url=self.url, timeout=WITHIN_S))
        """A client without a token."""
        self._connection = self._stack.enter_context(
            psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.stop()

    def stop(self) -> None:
        """End the server as a signal does, and wait for it."""
        if self.server is not None:
            self.server.should_exit = True
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:  # shown by the thread that waits
            self._error = exc
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        async with Database(self.database_url) as database:
            await migrate(database)
            app = create_app(
                database=database,
                store=self.store,
                limits=self._limits,
                fetcher=self._fetcher,
                provider=self._provider,
                receivers=self._receivers,
                tracer=self._tracer,
                slot_prices=self._slot_prices,
                grafana_url=self._grafana_url,
            )
            self.server = ApiServer(app)
            self._ready.set()
            await self.server.serve([self.socket])

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Run a query beside the API; its rows."""
        cursor = self._connection.execute(query, values)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

    def until(self, query: str) -> None:
        """Wait until a query has a row."""
        until_s = time.monotonic() + WITHIN_S
        while not self.sql(query):
            assert time.monotonic() < until_s
            time.sleep(0.01)

    def key(self, user_id: str, *, scope: str = "user") -> str:
        """A token of a user's."""
        token = api_keys.new_token()
        self.sql(
            "insert into api_keys (id, user_id, name, token_hash, scope)"
            " values (%s, %s, 'test', %s, %s)",
            f"key_{token[-20:]}",
            user_id,
            api_keys.token_hash(token),
            scope,
        )
        return token

    def client(self, user_id: str = "ada", *, scope: str = "user") -> httpx.Client:
        """A client with a key of a user's, closed with the API."""
        return self._stack.enter_context(
            httpx.Client(
                base_url=self.url,
                headers={"Authorization": f"Bearer {self.key(user_id, scope=scope)}"},
                timeout=WITHIN_S,
            )
        )

    def add_export(self, user_id: str = "ada", **columns: Any) -> str:
        """An export with its first event, without a dispatcher; its id."""
        composition = columns.pop("composition", None)
        number = self.sql("select count(*) as n from export_jobs")[0]["n"]
        export_id = f"exp_{number:026d}"
        if composition is None:
            composition = f"cmp_{export_id}"
            self.sql(
                "insert into compositions (id, user_id, name) values (%s, %s, 'Song')",
                composition,
                user_id,
            )
            self.sql(
                "insert into composition_revisions (composition_id, revision, document)"
                " values (%s, 1, '{}')",
                composition,
            )
        fields = {
            "id": export_id,
            "user_id": user_id,
            "composition_id": composition,
            "composition_revision": 1,
            "config": "{}",
            "name": "Song",
            "intake": "{}",
            **columns,
        }
        self.sql(
            f"insert into export_jobs ({', '.join(fields)})"  # noqa: S608  # names of ours
            f" values ({', '.join(['%s'] * len(fields))})",
            *fields.values(),
        )
        self.tell(export_id, passing=False)
        return export_id

    def add_batch(self, user_id: str = "ada", *, exports: int = 2) -> tuple[str, list[str]]:
        """A batch of exports without a dispatcher: its id, and theirs."""
        number = self.sql("select count(*) as n from batches")[0]["n"]
        batch_id = f"bat_{number:026d}"
        self.sql(
            "insert into batches (id, user_id, name) values (%s, %s, 'Album')", batch_id, user_id
        )
        return batch_id, [self.add_export(user_id, batch_id=batch_id) for _ in range(exports)]

    def tell(self, export_id: str, *, passing: bool, **columns: Any) -> None:
        """Change an export and tell of it, in one transaction, as the transitions do."""
        changes = "".join(f", {name} = %s" for name in columns)
        with self._connection.transaction():
            self.sql(
                f"update export_jobs set updated_at = now(){changes} where id = %s",  # noqa: S608
                *columns.values(),
                export_id,
            )
            self.sql("select tell_export(%s, %s)", export_id, passing)

    def end(self, export_id: str) -> None:
        """Cancel an export."""
        self.tell(export_id, passing=False, status="cancelled", stage="cancelled", reason="Enough.")

    def complete(self, export_id: str, data: bytes, sha256: str, **columns: Any) -> str:
        """Finish an export with a stored video; its object key."""
        key = f"exports/{sha256[:2]}/{sha256}.mp4"
        self.store.put_bytes(key, data)
        self.tell(export_id, passing=False, status="rendering")
        self.tell(export_id, passing=False, status="uploading")
        self.tell(
            export_id,
            passing=False,
            status="completed",
            progress=1,
            file_size=len(data),
            duration_seconds=1,
            completed_at="now()",
            sha256=sha256,
            download_url=key,
            **columns,
        )
        return key

    @contextmanager
    def stream(
        self, client: httpx.Client, path: str, last_event_id: int | str | None = None
    ) -> Iterator[Stream]:
        """A client's stream of events at an address below ``/v1``."""
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        with client.stream("GET", f"/v1/{path}", headers=headers) as response:
            assert response.status_code == 200, response.read()
            yield Stream(response)

    @contextmanager
    def watch(
        self, client: httpx.Client, export_id: str, last_event_id: int | None = None
    ) -> Iterator[Stream]:
        """A client's stream of an export's events."""
        with self.stream(client, f"exports/{export_id}/events", last_event_id) as stream:
            yield stream

    def socket_to(
        self, path: str, token: str | None = None, protocols: Sequence[str] = ()
    ) -> ClientConnection:
        """A WebSocket at an address below ``/v1``, to be closed by whoever opens it."""
        return connect(
            f"{self.url.replace('http', 'ws', 1)}/v1/{path}",
            additional_headers={} if token is None else {"Authorization": f"Bearer {token}"},
            subprotocols=[Subprotocol(name) for name in protocols] or None,
            proxy=None,
            open_timeout=WITHIN_S,
        )


def received(websocket: ClientConnection) -> Iterator[Message]:
    """What a WebSocket carries, until it is closed."""
    for text in websocket:
        message = json.loads(text)
        yield Message(place=message["id"], event=message["event"], data=message["data"])


def ids(messages: Sequence[Message]) -> list[int | None]:
    """The ids of messages."""
    return [message.id for message in messages]
