"""Metrics: what they are called, how many there are, and that the document tells of all of them."""

from __future__ import annotations

import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from coordinator.api.hub import Hub
from coordinator.api.metrics import Metrics as ApiMetrics
from coordinator.calls import Calls
from coordinator.database import Database
from coordinator.database.standing import Ended, Standing
from coordinator.dispatcher.metrics import (
    KINDS,
    NODE_STATES,
    OUTCOMES,
    SPENT_ON,
    Metrics,
    exposed,
)
from coordinator.dispatcher.pool_metrics import MOST_POOLS, OTHERS
from coordinator.measured_store import MeasuredStore
from shared.errors import ErrorKind, InputError, ObjectNotFoundError, StorageFullError
from shared.keys import segment_key
from shared.plan import SegmentReport
from shared.storage import LocalStore
from tests.farm import PaintedNode
from tests.store_conformance import StoreConformance

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
LABELS = {
    "fault": ErrorKind,
    "kind": KINDS,
    "method": (),
    "operation": (),
    "outcome": OUTCOMES,
    "pool": (),
    "reason": (),
    "resource": (),
    "route": (),
    "source": (),
    "spent_on": SPENT_ON,
    "stage": (),
    "state": (),
    "status": (),
    "what": (),
}
"""Every label there may be, and where we know them, its values: none is chosen by clients."""
MOST_SERIES = 600
UNITS = ("_seconds", "_bytes", "_ratio", "_total")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def api_metrics() -> ApiMetrics:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    metrics = ApiMetrics()
    metrics.watch(Hub(database, 1, 0.1), database)
    return metrics


def families(registry: CollectorRegistry) -> dict[str, Any]:
    """What is registered, by the name under which Prometheus knows it."""
    return {
        f"{each._name}_total" if each._type == "counter" else each._name: each
        for each in registry._collector_to_names
    }


def series(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def nodes(*ids: str) -> list[PaintedNode]:
    return [PaintedNode(id=each) for each in ids]


def segment(**changes: Any) -> SegmentReport:
    told = {"index": 0, "key": "k", "frames": 240, "size_bytes": 1000, "sha256": "0" * 64}
    return SegmentReport(**told, draw_s=1, encode_s=2, store_s=0.1, **changes)


def standing(**changes: Any) -> Standing:
    told = {
        "exports": {"queued": 3, "rendering": 1, "uploading": 0},
        "items": {("chunk", "ready"): 40, ("intake", "held"): 1},
        "oldest_s": {"chunk": 12.0},
        "pool_items": {("default", "ready"): 40, ("gpu", "held"): 1},
        "pool_oldest_s": {"default": 12.0},
        "users": {"waiting": 2, "running": 1},
        "largest_share": {"waiting": 0.75, "running": 1.0},
        "stored_bytes": {"uploads": 10, "videos": 20},
    }
    return Standing(**(told | changes))


def busy_dispatcher() -> Metrics:
    """Everything that can happen has happened."""
    metrics = Metrics()
    metrics.lead(7)
    metrics.note_standing(standing())
    metrics.note_room(free_bytes=5, used_bytes=95)
    metrics.note_slots(slots=8, busy=3, is_paused=False)
    metrics.note_nodes(nodes(*map(str, range(1000))), ["1"], {"2": 9.0})
    metrics.pools.note_slots({"default": 8}, {"default": 3})
    metrics.note_ended(
        Ended(until=NOW, exports={"completed": 2, "failed": 1}, chunks=10, chunks_found=4)
    )
    for kind in KINDS:
        metrics.began(kind, 0.5)
        metrics.committed(kind, segment(), wall_s=3.0, since_ready_s=4.0)
        for outcome in OUTCOMES:
            metrics.ended(kind, outcome)
        for fault in ErrorKind:
            metrics.failed(kind, fault)
    return metrics


def table(registry: CollectorRegistry, *, without: CollectorRegistry | None = None) -> str:
    known = families(without) if without is not None else {}
    rows = ["| metric | type | labels | what it is |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {each._type} | {', '.join(f'`{label}`' for label in each._labelnames)} "
        f"| {each._documentation} |"
        for name, each in families(registry).items()
        if name not in known
    ]
    return "\n".join(rows).replace("|  |", "| |") + "\n"


def test_every_metric_is_documented(request: pytest.FixtureRequest) -> None:
    both = CollectorRegistry()
    Calls(both)
    text = DOCUMENT.read_text("utf-8")
    for mark, expected in (
        ("the dispatcher", table(Metrics().registry, without=both)),
        ("the API", table(api_metrics().registry, without=both)),
        ("both", table(both)),
    ):
        found = re.compile(rf"(<!-- from the code: {mark} -->\n\n)(\|.*\n)*")
        assert found.search(text), mark
        text = found.sub(lambda match, rows=expected: match[1] + rows, text)
    if request.config.getoption("--update-golden"):
        DOCUMENT.write_text(text, "utf-8")
    assert DOCUMENT.read_text("utf-8") == text


@pytest.mark.parametrize("registry", [Metrics().registry, api_metrics().registry])
def test_metrics_are_named_as_is_the_custom(registry: CollectorRegistry) -> None:
    for name, each in families(registry).items():
        assert name.startswith("midifarm_")
        assert each._documentation.endswith(".")
        assert each._type != "histogram" or name.endswith("_seconds")
        assert set(each._labelnames) <= LABELS.keys()
        for unit in UNITS:
            assert unit not in name.removesuffix("_total").removesuffix(unit), name


def test_the_number_of_series_does_not_grow_with_the_farm() -> None:
    metrics = busy_dispatcher()
    told = series(metrics.registry)
    assert len(told) < MOST_SERIES
    for family in metrics.registry.collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label == "le":
                    continue
                assert re.fullmatch(r"[a-z_]+", value), (sample.name, label, value)
                if label == "kind":
                    assert value in KINDS
    metrics.note_nodes(nodes(*map(str, range(5000))), [], {})
    metrics.note_standing(standing(users={"waiting": 9000, "running": 900}))
    assert series(metrics.registry).keys() == told.keys()


def test_rates_are_known_before_anything_has_happened() -> None:
    before, after = Metrics(), busy_dispatcher()
    after.resign()
    assert series(before.registry).keys() == series(after.registry).keys()


def test_only_who_leads_tells_how_the_farm_stands() -> None:
    metrics = busy_dispatcher()
    told = series(metrics.registry)
    assert told["midifarm_leader",] == 1
    assert told["midifarm_epoch",] == 7
    assert told["midifarm_exports", "queued"] == 3
    assert told["midifarm_queue_items", "chunk", "ready"] == 40
    assert told["midifarm_queue_items", "chunk", "held"] == 0
    assert told["midifarm_queue_oldest_seconds", "chunk"] == 12
    assert told["midifarm_queue_oldest_seconds", "preview"] == 0
    metrics.resign()
    told = series(metrics.registry)
    assert told["midifarm_leader",] == told["midifarm_epoch",] == 0
    standing_only = {name for name, *_ in told if name.startswith("midifarm_queue")}
    assert not standing_only
    assert told["midifarm_exports_ended_total", "completed"] == 2


def test_what_a_chunk_took_is_told_by_its_stages() -> None:
    metrics = Metrics()
    metrics.committed("chunk", segment(), wall_s=3.5, since_ready_s=9.0)
    metrics.committed("chunk", segment(cached=True), wall_s=0.1, since_ready_s=9.0)
    told = series(metrics.registry)
    name = "midifarm_chunk_stage_duration_seconds"
    assert [told[f"{name}_sum", stage] for stage in ("draw", "encode", "store")] == [1, 2, 0.1]
    assert told[f"{name}_count", "draw"] == 1, "nothing was drawn for the second one"
    assert told["midifarm_frames_total",] == 480
    assert told["midifarm_written_bytes_total", "chunk"] == 2000
    assert told["midifarm_attempts_total", "chunk", "committed"] == 2


def test_slots_and_nodes_are_counted_once_each() -> None:
    metrics = Metrics()
    metrics.note_slots(slots=4, busy=6, is_paused=True)
    odd = (
        PaintedNode(id="odd", kept_out="It runs another version."),
        PaintedNode(id="new", engine=None),
        PaintedNode(id="head", cpus=0, engine=None),
    )
    all_nodes = [*nodes("a", "b", "c"), *odd]
    metrics.note_nodes(all_nodes, ["a", "gone"], {"a": 5.0, "b": 5.0, "odd": 5.0})
    told = series(metrics.registry)
    assert (told["midifarm_slots", "busy"], told["midifarm_slots", "free"]) == (4, 0)
    assert [told["midifarm_nodes", state] for state in NODE_STATES] == [1, 1, 1, 1, 1]
    offered = [told["midifarm_node_resources", each] for each in ("cpus", "gpus")]
    assert offered == [10, 0]
    assert told["midifarm_paused",] == 1


def test_pools_are_told_by_their_names_and_beyond_fifty_together() -> None:
    metrics = Metrics()
    names = ["default", *(f"pool-{number}" for number in range(60))]
    metrics.pools.note_slots(dict.fromkeys(names, 4), {"default": 1, "pool-59": 9})
    items = {(name, "ready"): 10 for name in names}
    oldest_s = {name: float(number) for number, name in enumerate(names)}
    metrics.note_standing(standing(pool_items=items, pool_oldest_s=oldest_s))
    told = series(metrics.registry)
    slots = {state: told["midifarm_pool_slots", "default", state] for state in ("busy", "free")}
    assert slots == {"busy": 1, "free": 3}
    assert told["midifarm_pool_slots", OTHERS, "busy"] == 4, "no more than there are"
    assert told["midifarm_pool_queue_items", OTHERS, "ready"] == 110
    assert told["midifarm_pool_queue_oldest_seconds", OTHERS] == 60
    named = {labels[1] for labels in told if labels[0] == "midifarm_pool_slots"}
    assert len(named) == MOST_POOLS + 1
    # A pool that is gone has nothing any more, and keeps its series.
    metrics.pools.note_slots({"default": 4}, {})
    metrics.note_standing(standing(pool_items={}, pool_oldest_s={}))
    gone = series(metrics.registry)
    assert gone.keys() == told.keys()
    assert gone["midifarm_pool_slots", "pool-1", "free"] == 0
    assert gone["midifarm_pool_queue_items", "pool-1", "ready"] == 0


def test_a_node_is_lost_that_goes_without_having_been_drained() -> None:
    metrics = Metrics()

    def lost() -> float:
        return series(metrics.registry)["midifarm_lost_nodes_total",]

    metrics.note_nodes(nodes("a", "b", "c"), [], {})
    metrics.note_nodes(nodes("a", "b", "c"), ["a"], {})
    metrics.note_nodes(nodes("b", "c"), ["a"], {})
    assert lost() == 0
    metrics.note_nodes(nodes("c", "d"), [], {})
    assert lost() == 1
    metrics.resign()
    metrics.note_nodes(nodes("d"), [], {})
    assert lost() == 1, "who begins to lead has missed nobody yet"


def test_metrics_are_answered_on_a_port_of_their_own() -> None:
    with exposed(busy_dispatcher(), "127.0.0.1", 0) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = {family.name for family in text_string_to_metric_families(text)}
        assert {"midifarm_leader", "midifarm_attempts"} <= found
        with pytest.raises(InputError, match=f"port {port}: Address already in use"):
            exposed(Metrics(), "127.0.0.1", port).__enter__()
    with exposed(Metrics(), "127.0.0.1", None) as nothing:
        assert nothing is None
    with (
        pytest.raises(InputError, match="Metrics cannot be served on no-such-host"),
        exposed(Metrics(), "no-such-host.invalid", 0),
    ):
        pass


def test_calls_of_a_store_are_counted_and_so_are_its_failures(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    store = MeasuredStore(LocalStore(tmp_path / "store"), Calls(registry))
    key = segment_key("0" * 64)
    with store.writer(key) as file:
        file.write(b"segment")
    with store.reader(key) as file:
        assert file.read() == b"segment"
    with store.as_file(key) as path:
        assert path.read_bytes() == b"segment"
    assert store.exists(key)
    assert [info.key for info in store.list()] == [key]
    store.delete(key)
    with pytest.raises(ObjectNotFoundError):
        store.get_bytes(key)

    class FullDisk(LocalStore):
        def put_bytes(self, key: str, data: bytes) -> None:
            raise StorageFullError("There is no room.")

    with pytest.raises(StorageFullError):
        MeasuredStore(FullDisk(tmp_path / "store"), store._calls).put_bytes(key, b"x")
    told = series(registry)
    calls = {
        operation: told["midifarm_storage_call_duration_seconds_count", operation]
        for operation in ("read", "write", "look", "list", "delete")
    }
    assert calls == {"read": 3, "write": 2, "look": 1, "list": 1, "delete": 1}
    errors = {labels: told[labels] for labels in told if "errors" in labels[0] and told[labels]}
    assert errors == {("midifarm_storage_errors_total", "write", "full"): 1}


class TestMeasuredStore(StoreConformance):
    """A store that is measured is as good as one that is not."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> MeasuredStore:
        return MeasuredStore(LocalStore(tmp_path / "store"), Calls(CollectorRegistry()))
