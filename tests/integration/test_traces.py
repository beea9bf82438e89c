"""Traces of exports, as a collector gets them from all processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from coordinator.database import Database, transitions
from coordinator.dispatcher.clock import SYSTEM
from coordinator.dispatcher.counting import Counting
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.metrics import Metrics
from coordinator.dispatcher.tracing import Tracing
from shared.errors import RenderError
from shared.plan import ChunkSpec
from shared.storage import LocalStore
from shared.traces import Span, Tracer, span_id, trace_id
from tests.api import RunningApi
from tests.collector import Collected, collecting
from tests.dispatching import PATIENCE_S, QUICK, ended
from tests.farm import PaintedWorkers, add_export
from tests.integration.test_api import compose
from tests.prometheus import free_port


def of(spans: list[Collected], export: str) -> dict[int, Collected]:
    """The spans of an export by their ids."""
    return {span.id: span for span in spans if span.trace == trace_id(export)}


@pytest.mark.services
def test_an_export_is_one_trace_with_a_span_for_every_attempt(
    migrated_database_url: str, store: LocalStore
) -> None:
    async def main() -> None:
        async with Database(migrated_database_url) as database:
            await _trace(database, store)

    asyncio.run(main())


async def _trace(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    errors = [RenderError("It was odd.")]
    workers.fail = lambda _, item: errors.pop() if isinstance(item, ChunkSpec) and errors else None
    with collecting() as collector:
        tracer = Tracer(collector.url, "midifarm-dispatcher")
        dispatcher = Dispatcher(database, store, workers, QUICK, tracer=tracer)
        counting = Counting(
            database,
            Metrics(),
            quota_running=None,
            folder=None,
            in_thread=asyncio.to_thread,
            tracing=Tracing(tracer, SYSTEM),
            every_s=0.05,
        )
        tasks = [asyncio.create_task(each.run()) for each in (dispatcher, counting)]
        export = await ended(database, await add_export(database))
        held = await add_export(database, "bob")
        workers.hold = lambda *_: True
        async with database.transaction() as connection:
            await transitions.cancel_export(connection, "bob", held)
        roots = {span_id(export["id"]), span_id(held)}
        spans = await asyncio.to_thread(
            collector.wait_for, lambda spans: roots <= {each.id for each in spans}
        )
        dispatcher.stop()
        await asyncio.wait_for(tasks[0], PATIENCE_S)
        tasks[1].cancel()
        await asyncio.to_thread(tracer.close)
        spans = collector.spans

    own = of(spans, export["id"])
    root = own.pop(span_id(export["id"]))
    assert (root.name, root.parent, root.error) == ("export", 0, None)
    assert root.facts["status"] == "completed"
    assert root.facts["frames"] == export["frames"]
    assert len(own) == export["chunks"] + 3 + 1
    for span in own.values():
        assert span.service == "midifarm-dispatcher"
        assert span.parent == root.id
        assert root.start_ns - 10**9 < span.start_ns <= span.end_ns
        assert span.facts["node"] == "node"
    (failed,) = [span for span in own.values() if span.error]
    assert failed.error == "It was odd."
    assert (failed.facts["outcome"], failed.facts["error_kind"]) == ("failed", "suspect")
    names = [span.name for span in own.values()]
    assert names.count("chunk") == export["chunks"] + 1
    assert "stitch" in names
    assert of(spans, held)[span_id(held)].facts["status"] == "cancelled"


@pytest.mark.services
def test_the_api_tells_what_it_accepted(migrated_database_url: str, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    with collecting() as collector:
        tracer = Tracer(collector.url, "midifarm-api")
        with RunningApi(migrated_database_url, store, tracer=tracer) as api:
            client = api.client()
            asked = {"composition_id": compose(client)["id"], "presets": ["youtube_1080p"]}
            (export,) = client.post("/v1/exports", json=asked).json()["exports"]
            (span,) = collector.wait_for(bool)
        tracer.close()
    assert (span.name, span.service) == ("accept", "midifarm-api")
    assert span.trace == trace_id(export["id"])
    assert span.parent == span_id(export["id"])


def test_a_collector_that_is_down_holds_up_nobody() -> None:
    tracer = Tracer(f"http://127.0.0.1:{free_port()}", "midifarm-worker")
    began_s = time.monotonic()
    for number in range(10_000):
        place = ("attempt", f"a{number}")
        tracer.tell(Span(name="chunk", export="exp_1", place=place, start_s=1.0, end_s=2.0))
    told_s = time.monotonic() - began_s
    tracer.close()
    assert told_s < PATIENCE_S / 3
    assert time.monotonic() - began_s - told_s < 5
    assert not [each.name for each in threading.enumerate() if each.name == "traces"]


def test_nothing_of_opentelemetry_is_loaded_without_the_setting() -> None:
    program = (
        "import sys, cluster.tasks, coordinator.api.app, coordinator.dispatcher.dispatcher\n"
        "from shared.traces import open_tracer\n"
        "assert open_tracer(None, 'midifarm-api') is None\n"
        "print(*(name for name in sys.modules if name.startswith('opentelemetry.sdk')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.strip() == ""
