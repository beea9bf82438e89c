"""What a dispatcher counts, for Prometheus, and where it is asked for it.

No label holds an id, a name or anything else that users or machines choose: the time series of a
farm of a thousand nodes are those of a laptop. Pools are named by operators; those beyond the first
fifty are told together.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from coordinator.calls import Calls
from coordinator.database.standing import Ended, Standing
from coordinator.dispatcher.pool_metrics import WAITING, PoolMetrics
from coordinator.ports import Node, Report
from shared.errors import ErrorKind, InputError
from shared.plan import SegmentReport
from shared.states import ExportStatus

KINDS: Final = ("probe", "preview", "intake", "survey", "audio", "chunk", "stitch")
"""Of work items, as the database has them. Probes and previews outrank the others."""
OUTCOMES: Final = ("committed", "late", "failed", "lost", "cancelled")
"""Of attempts, as the database has them."""
SPENT_ON: Final = ("useful", "failed", "duplicate", "lost", "cancelled")
"""What the time of attempts came to, as the database has it."""
STAGES: Final = ("draw", "encode", "store")
"""Of a chunk."""
NODE_STATES: Final = ("open", "draining", "set_aside", "kept_out", "starting")
"""Of nodes that offer anything."""
_WAITS_S: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
_WORK_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_ROUND_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one dispatcher, in a registry of their own.

    What tells how the farm stands has labels throughout, and is told by the leader alone: of a
    dispatcher that stands by there are no such series.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.registry = CollectorRegistry()
        self.calls = Calls(self.registry)
        """What the database and the store take."""
        self._make_standing()
        self._make_attempts()
        self._make_own()

    def _make_standing(self) -> None:
        self._exports = self._gauge("exports", "Exports that have not ended.", "status")
        self._queue_items = self._gauge(
            "queue_items",
            "Work items that wait: ready to begin, resting after a failure, limited by what their "
            "user may have under way, held by an operator.",
            "kind",
            "state",
        )
        self._queue_oldest = self._gauge(
            "queue_oldest_seconds",
            "For how long the oldest work item has been ready to begin; 0 where none is.",
            "kind",
        )
        self.pools = PoolMetrics(self.registry)
        """How each pool stands."""
        self._queue_users = self._gauge(
            "queue_users", "Users who have something waiting or running.", "state"
        )
        self._largest_share = self._gauge(
            "largest_share_ratio",
            "What the user with the most of it has of everything that is waiting or running.",
            "state",
        )
        self._stored = self._gauge("stored_bytes", "Bytes that users have stored.", "what")
        self._storage_room = self._gauge(
            "storage_room_bytes", "Room where the object store's folder is.", "state"
        )
        self._slots = self._gauge("slots", "Room for one work item each on the nodes.", "state")
        self._nodes = self._gauge(
            "nodes",
            "Living nodes: open, draining, set aside since they fail whatever they are given, kept "
            "out by their versions, or starting.",
            "state",
        )
        self._resources = self._gauge(
            "node_resources", "Processors and GPUs that living nodes offer.", "resource"
        )

    def _make_attempts(self) -> None:
        self._exports_ended = self._counter("exports_ended", "Exports that have ended.", "status")
        self._export_chunks = self._counter(
            "export_chunks",
            "Chunks of exports that have ended: rendered for them, or found in the store.",
            "source",
        )
        self._wait = self._histogram(
            "item_wait_seconds",
            "Time from when a work item could begin to when it was given to a worker.",
            _WAITS_S,
            "kind",
        )
        self._attempts = self._counter(
            "attempts",
            "Attempts that have ended. A late one was reported when its result was not wanted any "
            "more, of a lost one nothing was heard.",
            "kind",
            "outcome",
        )
        self._failures = self._counter(
            "attempt_failures",
            "Attempts that failed: permanent faults are the input's, transient ones the "
            "surroundings', suspect ones perhaps the work's own.",
            "kind",
            "fault",
        )
        self._duration = self._histogram(
            "attempt_duration_seconds",
            "Time of a committed attempt on its worker.",
            _WORK_S,
            "kind",
        )
        self._stage_duration = self._histogram(
            "chunk_stage_duration_seconds",
            "Time that a worker spent on a stage of a chunk.",
            _WORK_S,
            "stage",
        )
        self._stitch_tail = Histogram(
            "midifarm_stitch_tail_seconds",
            "Time from when everything of an export was rendered to when its file was stored.",
            buckets=_WORK_S,
            registry=self.registry,
        )
        self._slot_seconds = self._counter(
            "slot_seconds",
            "Time that attempts had a slot: with a result of use, failed by what they were at, "
            "beside or after another one of the same, lost through no fault of the work, stopped.",
            "spent_on",
        )
        self._frames = self._counter("frames", "Frames of committed chunks.")
        self._written = self._counter(
            "written_bytes", "Bytes of results that workers stored and that were kept.", "kind"
        )
        for kind in KINDS:
            self._wait.labels(kind)
            self._duration.labels(kind)
            self._written.labels(kind)
            for outcome in OUTCOMES:
                self._attempts.labels(kind, outcome)
            for fault in ErrorKind:
                self._failures.labels(kind, fault)
        for stage in STAGES:
            self._stage_duration.labels(stage)
        for spent_on in SPENT_ON:
            self._slot_seconds.labels(spent_on)
        for status in ExportStatus:
            if status.ended:
                self._exports_ended.labels(status)
        for source in ("rendered", "found"):
            self._export_chunks.labels(source)

    def _make_own(self) -> None:
        self._leader = Gauge(
            "midifarm_leader",
            "1 in the dispatcher that leads, 0 elsewhere.",
            registry=self.registry,
        )
        self._epoch = Gauge(
            "midifarm_epoch",
            "Number of the leader's term, greater with each; 0 in who stands by.",
            registry=self.registry,
        )
        self._paused = Gauge(
            "midifarm_paused", "1 while operators hold the farm.", registry=self.registry
        )
        self.round_duration = Histogram(
            "midifarm_round_duration_seconds",
            "Time of one round of the dispatcher, with up to 0.1 s of waiting for results.",
            buckets=_ROUND_S,
            registry=self.registry,
        )
        """Of each round."""
        self.failed_rounds = self._counter("failed_rounds", "Rounds that the database failed.")
        """Rounds that were not finished."""
        self.second_attempts = self._counter(
            "second_attempts", "Attempts that were begun beside one that takes far too long."
        )
        """Of stragglers."""
        self._lost_nodes = self._counter(
            "lost_nodes", "Nodes that went away without having been drained."
        )
        self.removed_objects = self._counter(
            "removed_objects", "Objects that nobody needed any more and that were deleted."
        )
        """By the janitor."""
        self.failed_removals = self._counter(
            "failed_removals", "Objects that could not be deleted; they are found again later."
        )
        """The same that failed."""
        self._known_nodes: frozenset[str] = frozenset()
        self._drained_nodes: frozenset[str] = frozenset()

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(f"midifarm_{name}", told, labels, registry=self.registry)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"midifarm_{name}", told, labels, registry=self.registry)

    def _histogram(
        self, name: str, told: str, buckets: Collection[float], *labels: str
    ) -> Histogram:
        return Histogram(
            f"midifarm_{name}", told, labels, buckets=tuple(buckets), registry=self.registry
        )

    # Who leads

    def lead(self, epoch: int) -> None:
        """A term begins."""
        self._leader.set(1)
        self._epoch.set(epoch)

    def resign(self) -> None:
        """It has ended: how the farm stands is told by others."""
        for own in (self._leader, self._epoch, self._paused):
            own.set(0)
        for told in (
            self._exports,
            self._queue_items,
            self._queue_oldest,
            self.pools,
            self._queue_users,
            self._largest_share,
            self._stored,
            self._storage_room,
            self._slots,
            self._nodes,
            self._resources,
        ):
            told.clear()
        self._known_nodes = frozenset()

    # How the farm stands

    def note_standing(self, standing: Standing) -> None:
        """How exports and the queue stand."""
        for status, count in standing.exports.items():
            self._exports.labels(status).set(count)
        for kind in KINDS:
            for state in WAITING:
                self._queue_items.labels(kind, state).set(standing.items.get((kind, state), 0))
            self._queue_oldest.labels(kind).set(standing.oldest_s.get(kind, 0.0))
        self.pools.note_queue(standing)
        for state in ("waiting", "running"):
            self._queue_users.labels(state).set(standing.users[state])
            self._largest_share.labels(state).set(standing.largest_share[state])
        for what, count in standing.stored_bytes.items():
            self._stored.labels(what).set(count)

    def note_ended(self, ended: Ended) -> None:
        """What has ended since it was noted last."""
        for status, count in ended.exports.items():
            self._exports_ended.labels(status).inc(count)
        self._export_chunks.labels("found").inc(ended.chunks_found)
        self._export_chunks.labels("rendered").inc(ended.chunks - ended.chunks_found)

    def note_spent(self, slot_s: Mapping[str, float]) -> None:
        """What slots were spent on since it was noted last."""
        for spent_on, more_s in slot_s.items():
            self._slot_seconds.labels(spent_on).inc(max(0.0, more_s))

    def note_room(self, *, free_bytes: int, used_bytes: int) -> None:
        """How much room the object store has, where that is a folder."""
        self._storage_room.labels("free").set(free_bytes)
        self._storage_room.labels("used").set(used_bytes)

    def note_slots(self, *, slots: int, busy: int, is_paused: bool) -> None:
        """How many work items run, and how many could."""
        self._slots.labels("busy").set(min(busy, slots))
        self._slots.labels("free").set(max(0, slots - busy))
        self._paused.set(is_paused)

    def note_nodes(
        self, nodes: Collection[Node], draining: Collection[str], resting: Mapping[str, float]
    ) -> None:
        """Which nodes live, and what they offer.

        Args:
            nodes: As the cluster has them.
            draining: Ids of those that get nothing more.
            resting: For how long nodes are set aside, by their ids.
        """
        alive = [node for node in nodes if node.alive]
        self._resources.labels("cpus").set(sum(node.cpus for node in alive))
        self._resources.labels("gpus").set(sum(node.gpus for node in alive))
        living = frozenset(node.id for node in alive)
        drained = living.intersection(draining)
        self._lost_nodes.inc(len(self._known_nodes - living - self._drained_nodes))
        self._known_nodes, self._drained_nodes = living, drained
        # The head of a cluster, and a dispatcher's own node, offer nothing.
        offering = [node for node in alive if node.cpus or node.gpus]
        states = Tally(_state(node, drained, resting) for node in offering)
        for state in NODE_STATES:
            self._nodes.labels(state).set(states[state])

    # What happens

    def began(self, kind: str, waited_s: float) -> None:
        """An item was given to a worker."""
        self._wait.labels(kind).observe(max(0.0, waited_s))

    def ended(self, kind: str, outcome: str) -> None:
        """An attempt has ended, in whatever way."""
        self._attempts.labels(kind, outcome).inc()

    def failed(self, kind: str, fault: ErrorKind) -> None:
        """An attempt has failed."""
        self.ended(kind, "failed")
        self._failures.labels(kind, fault).inc()

    def committed(
        self, kind: str, report: Report, *, wall_s: float | None, since_ready_s: float
    ) -> None:
        """An attempt's result was kept.

        Args:
            kind: Of the item.
            report: What the worker told.
            wall_s: How long it took, where that is known.
            since_ready_s: How long ago the item could have begun.
        """
        self.ended(kind, "committed")
        if wall_s is not None:
            self._duration.labels(kind).observe(wall_s)
        self._written.labels(kind).inc(getattr(report, "size_bytes", 0))
        if kind == "stitch":
            self._stitch_tail.observe(since_ready_s)
        if isinstance(report, SegmentReport):
            self._frames.inc(report.frames)
            if not report.cached:
                for stage, took_s in zip(
                    STAGES, (report.draw_s, report.encode_s, report.store_s), strict=True
                ):
                    self._stage_duration.labels(stage).observe(took_s)


def _state(node: Node, draining: Collection[str], resting: Collection[str]) -> str:
    """How a node stands: one of NODE_STATES."""
    if node.kept_out is not None:
        return "kept_out"
    if node.id in draining:
        return "draining"
    if node.engine is None:
        return "starting"
    return "set_aside" if node.id in resting else "open"


@contextmanager
def exposed(metrics: Metrics, host: str, port: int | None) -> Iterator[int | None]:
    """Answer ``GET /metrics`` inside the block, in a thread; the port that it is.

    Args:
        metrics: What is told.
        host: Address to listen on.
        port: 0 takes any free one; None listens nowhere.

    Raises:
        InputError: There is no such address here, or the port is taken.
    """
    if port is None:
        yield None
        return
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as exc:
        raise InputError(
            f"Metrics cannot be served on {host} port {port}: {exc.strerror}. Choose another one "
            "with --metrics-host and --metrics-port."
        ) from exc
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
