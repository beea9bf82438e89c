"""Measures how fast the API answers with a million exports in the table, and takes batches.

``python -m tests.bench.api [--exports N] [--seconds S] [--per-s N] [--keep FOLDER]``. PostgreSQL
and the API process are those of ``midifarm serve``, with its settings; no dispatcher runs. Requests
come from a process of their own at a steady rate, over 20 connections, as several users. Then four
batches of 10,000 exports are queued: two by themselves, two while the same requests come.

Prints tables and writes ``build/bench-api.json``. It does not fail where something is slow.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table

from coordinator.api.pages import next_cursor
from tests.bench import history
from tests.bench.history import BUSY_USER, Connection
from tests.bench.load import SHARES, Answered, Targets, load, percentile
from tests.bench.served import FORMATS, add_key, add_templates, running_api, running_database

P99_MS: Final = 50.0
BATCH_S: Final = 10.0
BATCH: Final = 10_000
_QUEUED: Final = 10_000
_ASKING: Final = 20
"""Users who send requests."""
_CONNECTIONS: Final = 20
_WARM_UP_S: Final = 5.0
_SHAPES: Final = {"1,000 × 10 formats": 10, "10,000 × 1 format": 1}
_BATCH_USERS: Final = [f"batch {number + 1}" for number in range(2 * len(_SHAPES))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch that was queued."""

    shape: str
    took_s: float
    during: Sequence[Answered] = ()
    """What came of other requests meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A service with a history, and who asks it."""

    url: str
    targets: Targets
    batch_tokens: dict[str, str]
    """Keys of users who have thousands of compositions."""
    executor: Executor
    """Where the load comes from."""
    options: argparse.Namespace

    def start_load(self, seconds: float) -> tuple[float, Any]:
        """Have requests sent; when the first is due, and what came of them, later."""
        begin_s = time.monotonic() + 1.0
        return begin_s, self.executor.submit(
            load,
            self.targets,
            per_s=self.options.per_s,
            seconds=seconds,
            connections=_CONNECTIONS,
            begin_s=begin_s,
        )


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exports", type=int, default=1_000_000, help="Exports that have ended.")
    parser.add_argument("--seconds", type=float, default=60.0, help="How long it is measured.")
    parser.add_argument("--per-s", type=float, default=100.0, help="Requests a second.")
    parser.add_argument("--keep", type=Path, help="Folder of a database that is used again.")
    options = parser.parse_args()
    with bench(options) as prepared:
        answered = measure(prepared)
        report_load(answered, options)
        batches = queue_batches(prepared)
        report_batches(batches)
    write(answered, batches, options)
    if any(each.is_error for each in answered):
        sys.exit("Some requests failed.")


@contextmanager
def bench(options: argparse.Namespace) -> Iterator[Bench]:
    """Start everything, and fill the database unless that was done before."""
    with ExitStack() as stack:
        folder = options.keep
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mf-bench-")))
        database_url = stack.enter_context(running_database(folder))
        url = stack.enter_context(running_api(database_url, folder))
        connection = stack.enter_context(history.connect(database_url))
        if not history.is_filled(connection):
            fill(connection, url, options.exports)
        targets = find_targets(connection, url)
        batch_tokens = {user: add_key(connection, user) for user in _BATCH_USERS}
        history.drop_batches(connection)
        context = multiprocessing.get_context("spawn")
        executor = stack.enter_context(ProcessPoolExecutor(1, context))
        executor.submit(time.monotonic).result()  # it has started
        yield Bench(
            url=url,
            targets=targets,
            batch_tokens=batch_tokens,
            executor=executor,
            options=options,
        )


def fill(connection: Connection, url: str, exports: int) -> None:
    """Have the API accept a few exports, and make the history like them."""
    began_s = time.monotonic()
    add_templates(connection, url)
    history.fill(connection, exports=exports, queued=_QUEUED, batches=len(_BATCH_USERS))
    took_s = time.monotonic() - began_s
    print(f"{exports:,} exports were made in {took_s:.0f} s.", flush=True)  # noqa: T201


def find_targets(connection: Connection, url: str) -> Targets:
    """What is asked for: a sample of what is there."""
    users = [f"user {number + 1}" for number in range(_ASKING)]

    def pairs(query: str) -> list[tuple[str, str]]:
        rows = connection.execute(query, {"users": users}).fetchall()  # type: ignore[call-overload]
        return [(row["id"], row["user_id"]) for row in rows]

    offset = 10_000
    place = connection.execute(
        "select id, created_at from export_jobs where user_id = %s and deleted_at is null"
        " order by created_at desc, id desc limit 1 offset"
        " (select count(*) * 2 / 3 from export_jobs where user_id = %s)",
        (BUSY_USER, BUSY_USER),
    ).fetchall()
    cursor = next_cursor(place, has_more=True)
    assert cursor is not None
    address = httpx.URL(url)
    return Targets(
        host=address.host,
        port=address.port or 80,
        tokens={user: add_key(connection, user) for user in users},
        exports=pairs(
            "select id, user_id from export_jobs tablesample system (5) repeatable (1)"
            " where user_id = any (%(users)s) order by id limit 5000"
        ),
        batches=pairs("select id, user_id from batches where user_id = any (%(users)s)"),
        queued=pairs(
            "select id, user_id from export_jobs where user_id = any (%(users)s)"
            " and status = 'queued' order by created_at limit 500"
        ),
        compositions={user: f"cmp_{user}_0" for user in users},
        busy_user=BUSY_USER,
        cursor=cursor,
        offset=offset,
    )


def measure(prepared: Bench) -> list[Answered]:
    """What came of the requests after a short while."""
    begin_s, answered = prepared.start_load(_WARM_UP_S + prepared.options.seconds)
    return [each for each in answered.result() if each.due_s >= begin_s + _WARM_UP_S]


def queue_batches(prepared: Bench) -> list[Batch]:
    """Queue batches of each shape, by themselves and during other requests."""
    users = list(_BATCH_USERS)
    found = [queue_batch(prepared, users.pop(), shape) for shape in _SHAPES]
    for shape in _SHAPES:
        begin_s, answered = prepared.start_load(_WARM_UP_S + 2 * BATCH_S)
        time.sleep(begin_s + _WARM_UP_S - time.monotonic())
        began_s = time.monotonic()
        alone = queue_batch(prepared, users.pop(), shape)
        during = [
            each for each in answered.result() if began_s <= each.due_s <= began_s + alone.took_s
        ]
        found.append(Batch(shape=shape, took_s=alone.took_s, during=during))
    return found


def queue_batch(prepared: Bench, user: str, shape: str) -> Batch:
    """Queue one batch."""
    formats = _SHAPES[shape]
    body = {
        "name": "Catalogue",
        "presets": FORMATS[:formats],
        "items": [{"composition_id": f"cmp_{user}_{n}"} for n in range(BATCH // formats)],
    }
    content = json.dumps(body).encode()
    headers = {
        "Authorization": f"Bearer {prepared.batch_tokens[user]}",
        "Content-Type": "application/json",
    }
    began_s = time.monotonic()
    answer = httpx.post(f"{prepared.url}/v1/batches", content=content, headers=headers, timeout=120)
    took_s = time.monotonic() - began_s
    assert answer.raise_for_status().json()["total"] == BATCH
    return Batch(shape=shape, took_s=took_s)


def figures(answered: Sequence[Answered]) -> dict[str, float]:
    """What is told of some requests."""
    took_ms = [1000 * each.took_s for each in answered]
    return {
        "requests": len(answered),
        "p50_ms": percentile(took_ms, 0.50),
        "p95_ms": percentile(took_ms, 0.95),
        "p99_ms": percentile(took_ms, 0.99),
        "max_ms": max(took_ms),
        "errors": sum(each.is_error for each in answered),
    }


def by_kind(answered: Sequence[Answered]) -> dict[str, dict[str, float]]:
    """The figures of each kind of request, and of all."""
    kinds = {kind: [each for each in answered if each.kind == kind] for kind in SHARES}
    found = {kind: figures(some) for kind, some in kinds.items() if some}
    return found | {"all": figures(answered)}


def report_load(answered: Sequence[Answered], options: argparse.Namespace) -> None:
    """Print what came of the requests."""
    table = Table(
        *("ms", "requests", "p50", "p95", "p99", "max", "errors", ""),
        title=f"{options.per_s:g} requests/s, {options.exports:,} exports",
    )
    for kind, told in by_kind(answered).items():
        if kind == "all":
            table.add_section()
        times = (f"{told[name]:.1f}" for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms"))
        verdict = "ok" if told["p99_ms"] < P99_MS else f"over {P99_MS:g}"
        table.add_row(kind, f"{told['requests']:,}", *times, str(told["errors"]), verdict)
    Console().print(table)


def report_batches(batches: Sequence[Batch]) -> None:
    """Print how long batches took."""
    table = Table(
        *("batch", "s", "", "requests meanwhile", "p99, ms", "max, ms"),
        title=f"Queueing {BATCH:,} exports",
    )
    for batch in batches:
        verdict = "ok" if batch.took_s < BATCH_S else f"over {BATCH_S:g}"
        told = figures(batch.during) if batch.during else {}
        table.add_row(
            batch.shape,
            f"{batch.took_s:.1f}",
            verdict,
            f"{len(batch.during):,}",
            *(f"{told[name]:.0f}" if told else "" for name in ("p99_ms", "max_ms")),
        )
    Console().print(table)


def write(
    answered: Sequence[Answered], batches: Sequence[Batch], options: argparse.Namespace
) -> None:
    """Write the figures."""
    told = {
        "exports": options.exports,
        "per_s": options.per_s,
        "seconds": options.seconds,
        "requests": by_kind(answered),
        "batches": [
            {
                "shape": batch.shape,
                "seconds": batch.took_s,
                "meanwhile": figures(batch.during) if batch.during else None,
            }
            for batch in batches
        ],
    }
    target = Path("build/bench-api.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
