"""Requests to an API at a steady rate, whether or not it keeps up (an open loop).

A request is due at its time and counts from then on, also while it waits for a connection: a
server that stalls is charged with everything that it kept waiting.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

SHARES: Final = {
    "history": 25,
    "history of a status": 15,
    "history, deep cursor": 8,
    "history, deep offset": 4,
    "status of an export": 22,
    "state of a batch": 10,
    "queue an export": 8,
    "cancel an export": 8,
}
"""Of a hundred requests."""
_STATUSES: Final = ("completed", "failed", "queued")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What is asked for; ids are given with their users."""

    host: str
    port: int
    tokens: dict[str, str]
    """A key of each user who asks."""
    exports: Sequence[tuple[str, str]]
    batches: Sequence[tuple[str, str]]
    queued: Sequence[tuple[str, str]]
    """Exports that may be cancelled."""
    compositions: dict[str, str]
    """One of each user's."""
    busy_user: str
    """Whose history is long."""
    cursor: str
    """A place deep in it."""
    offset: int
    """The same, as a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a request."""

    kind: str
    due_s: float
    """When it should have been sent, by the machine's monotonic clock."""
    took_s: float
    """From then on to the end of its answer."""
    status: int
    """Of HTTP; 0 where none came."""

    @property
    def is_error(self) -> bool:
        """Whether it was not answered as it should be."""
        return not 200 <= self.status < 300


def load(
    targets: Targets, *, per_s: float, seconds: float, connections: int, begin_s: float
) -> list[Answered]:
    """Send requests for a while; what came of each.

    Args:
        targets: To whom, and what for.
        per_s: How many a second.
        seconds: How long.
        connections: That are kept open, and shared.
        begin_s: When the first is due, by the monotonic clock.
    """
    return asyncio.run(_Load(targets, connections).run(per_s, seconds, begin_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    user_id: str
    path: str
    body: dict[str, Any] | None = None
    is_post: bool = False


class _Load:
    def __init__(self, targets: Targets, connections: int) -> None:
        self._targets = targets
        self._random = random.Random(1)  # noqa: S311  # the same requests every time
        self._users = list(targets.tokens)
        self._queued = deque(targets.queued)
        self._free = asyncio.Queue[_Connection]()
        self._connections = [_Connection(targets) for _ in range(connections)]

    async def run(self, per_s: float, seconds: float, begin_s: float) -> list[Answered]:
        for connection in self._connections:
            await connection.open()
            self._free.put_nowait(connection)
        kinds = self._random.choices(
            list(SHARES), list(SHARES.values()), k=max(1, round(per_s * seconds))
        )
        async with asyncio.TaskGroup() as group:
            tasks = []
            for number, kind in enumerate(kinds):
                due_s = begin_s + number / per_s
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                tasks.append(group.create_task(self._ask(kind, due_s)))
        for connection in self._connections:
            connection.close()
        return [task.result() for task in tasks]

    async def _ask(self, kind: str, due_s: float) -> Answered:
        connection = await self._free.get()
        request = self._request(kind)
        status, told = 0, b""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, told = await connection.send(request)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            await connection.open()
        took_s = time.monotonic() - due_s
        self._free.put_nowait(connection)
        if kind == "queue an export" and status == 202:
            self._queued.append((json.loads(told)["exports"][0]["id"], request.user_id))
        return Answered(kind=kind, due_s=due_s, took_s=took_s, status=status)

    def _request(self, kind: str) -> _Request:
        targets, one = self._targets, self._random.choice
        user_id, busy = one(self._users), targets.busy_user
        match kind:
            case "history":
                return _Request(user_id=user_id, path="exports")
            case "history of a status":
                return _Request(user_id=user_id, path=f"exports?status={one(_STATUSES)}")
            case "history, deep cursor":
                return _Request(user_id=busy, path=f"exports?cursor={targets.cursor}")
            case "history, deep offset":
                return _Request(user_id=busy, path=f"exports?offset={targets.offset}")
            case "status of an export":
                export_id, user_id = one(targets.exports)
                return _Request(user_id=user_id, path=f"exports/{export_id}")
            case "state of a batch":
                batch_id, user_id = one(targets.batches)
                return _Request(user_id=user_id, path=f"batches/{batch_id}")
            case "queue an export":
                body = {
                    "composition_id": targets.compositions[user_id],
                    "presets": ["youtube_1080p"],
                }
                return _Request(user_id=user_id, path="exports", body=body, is_post=True)
            case _:
                export_id, user_id = self._queued.popleft()
                return _Request(user_id=user_id, path=f"exports/{export_id}/cancel", is_post=True)


class _Connection:
    """One that is kept open; the client itself takes hardly any time."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        self.close()
        self._reader, self._writer = await asyncio.open_connection(
            self._targets.host, self._targets.port
        )

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    async def send(self, request: _Request) -> tuple[int, bytes]:
        body = b"" if request.body is None else json.dumps(request.body).encode()
        head = [
            f"{'POST' if request.is_post else 'GET'} /v1/{request.path} HTTP/1.1",
            "Host: bench",
            f"Authorization: Bearer {self._targets.tokens[request.user_id]}",
        ]
        if request.is_post:
            head.append(f"Content-Length: {len(body)}")
        if body:
            head += ["Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}"]
        assert self._writer is not None
        self._writer.write("\r\n".join([*head, "", ""]).encode() + body)
        told = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(told)
        return int(told[9:12]), await self._reader.readexactly(int(length[1]) if length else 0)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that a part of all do not exceed."""
    return sorted(values)[int(part * (len(values) - 1))]
