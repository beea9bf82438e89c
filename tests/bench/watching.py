"""How long a message takes from the commit to a client that watches.

``python -m tests.bench.watching [CLIENTS [COMMITS [PER_SECOND]]]``: clients watch as many exports,
all on one API process, which runs on an embedded PostgreSQL; prints p50, p95 and the longest.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.postgres import PostgresServers


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of a run."""

    expected: dict[str, list[int]]
    """For each export the ids of its events, once for each client that watched it."""
    received: dict[str, list[int]]
    """The ids that its clients got, in the order in which they came."""
    latencies_s: list[float]
    """From the commit to the arrival, of each message that was not there before."""

    def summary(self) -> str:
        """The latencies in a line."""
        ordered = sorted(self.latencies_s)
        p95 = ordered[int(0.95 * (len(ordered) - 1))]
        return (
            f"p50 {1000 * statistics.median(ordered):.1f} ms, p95 {1000 * p95:.1f} ms, "
            f"longest {1000 * ordered[-1]:.1f} ms ({len(ordered)} messages)"
        )


def measure(
    api: RunningApi, *, clients: int, exports: int, commits: int, per_s: float | None = None
) -> Measured:
    """Let clients watch exports while somebody commits changes to them.

    Args:
        api: What serves them.
        clients: How many; they are spread over the exports.
        exports: How many.
        commits: Changes of each export; one more ends it.
        per_s: Commits a second over all exports; None for as fast as they go.
    """
    export_ids = [api.add_export() for _ in range(exports)]
    for export_id in export_ids:
        api.tell(export_id, passing=False, status="rendering", frames=commits)
    token = api.key("ada")
    watched = [export_ids[number % exports] for number in range(clients)]
    committed_s: dict[tuple[str, int], float] = {}
    connected = threading.Semaphore(0)

    def commit() -> None:
        for _ in watched:
            assert connected.acquire(timeout=WITHIN_S)
        began_s = time.monotonic()
        with psycopg.connect(api.database_url, autocommit=True) as connection:
            count = 0
            for frame in range(1, commits + 2):
                for export_id in export_ids:
                    if per_s is not None:
                        time.sleep(max(0.0, began_s + count / per_s - time.monotonic()))
                    count += 1
                    with connection.transaction():
                        if frame > commits:
                            connection.execute(
                                "update export_jobs set status = 'cancelled' where id = %s",
                                (export_id,),
                            )
                        else:
                            connection.execute(
                                "update export_jobs set frames_done = %s where id = %s",
                                (frame, export_id),
                            )
                        connection.execute(
                            "select tell_export(%s, %s)", (export_id, frame <= commits)
                        )
                    # Just after the commit: what is measured is at most this much too short.
                    committed_s[export_id, frame] = time.monotonic()

    received: dict[str, list[int]] = defaultdict(list)
    arrived_s: list[tuple[str, int, float]] = []

    async def watch(export_id: str, into: list[int]) -> None:
        reader, writer = await asyncio.open_connection(*api.socket.getsockname())
        writer.write(
            f"GET /v1/exports/{export_id}/events HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        number, is_connected = 0, False
        while line := await reader.readline():
            now_s = time.monotonic()
            if line.startswith(b"id: "):
                number = int(line[4:])
                into.append(number)
            elif line.startswith(b"data: "):
                data = json.loads(line[6:])
                frame = commits + 1 if data["status"] == "cancelled" else data["frames_done"]
                if frame:
                    arrived_s.append((export_id, frame, now_s))
            elif line == b"0\r\n":
                break
            if number and not is_connected:
                is_connected = True
                connected.release()
        writer.close()
        await writer.wait_closed()

    async def watch_all() -> list[tuple[str, list[int]]]:
        lists: list[tuple[str, list[int]]] = [(export_id, []) for export_id in watched]
        async with asyncio.timeout(240), asyncio.TaskGroup() as group:
            for export_id, into in lists:
                group.create_task(watch(export_id, into))
        return lists

    committer = threading.Thread(target=commit, name="committer")
    committer.start()
    for export_id, numbers in asyncio.run(watch_all()):
        received[export_id] += numbers
    committer.join()
    expected: dict[str, list[int]] = {}
    for export_id in set(watched):
        rows = api.sql("select id from events where export_id = %s order by id offset 1", export_id)
        expected[export_id] = [row["id"] for row in rows] * watched.count(export_id)
    return Measured(
        expected=expected,
        received=dict(received),
        latencies_s=[
            max(0.0, at_s - committed_s[export_id, frame]) for export_id, frame, at_s in arrived_s
        ],
    )


def main() -> None:
    """Run it with the numbers of the command line."""
    given = [int(text) for text in sys.argv[1:]]
    clients, commits, per_s = (*given, *(100, 100, 300)[len(given) :])
    with (
        PostgresServers() as servers,
        servers.fresh_database("embedded") as url,
        tempfile.TemporaryDirectory() as folder,
        RunningApi(url, LocalStore(Path(folder))) as api,
    ):
        found = measure(api, clients=clients, exports=clients, commits=commits, per_s=per_s or None)
    whole = "all in order" if found.received == found.expected else "SOME MISSING OR OUT OF ORDER"
    print(f"{clients} clients, {commits} commits each: {found.summary()}, {whole}")  # noqa: T201


if __name__ == "__main__":
    main()
