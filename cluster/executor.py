"""Running work items as Ray tasks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cluster.chores import Chores
from cluster.errand import Errand
from cluster.failures import as_midifarm_error, tells_of_a_dead_node
from cluster.growing import Growth
from cluster.guests import Guests
from cluster.leaving import Wishes
from cluster.nodes import LOST_AFTER_S, Node, NodeWatch
from shared.errors import (
    CancelledError,
    ClusterError,
    ClusterLostError,
    ConflictError,
    MidifarmError,
    WorkerLostError,
)
from shared.intake import Intake, IntakeSpec, ProbeReport, ProbeSpec
from shared.keys import log_key
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    SegmentReport,
    StitchReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
)
from shared.preview import PreviewReport, PreviewSpec

if TYPE_CHECKING:
    from cluster.progress import AttemptStatus  # imports Ray

Item = ChunkSpec | AudioSpec | SurveySpec | StitchSpec | IntakeSpec | ProbeSpec | PreviewSpec
Report = (
    SegmentReport | AudioReport | SurveyReport | StitchReport | Intake | ProbeReport | PreviewReport
)

_BOARD_WITHIN_S: Final = 120
"""The board answers for the first time."""
_ANSWER_S: Final = 2.0
"""The board answers in milliseconds, or does not."""
_RESULT_S: Final = 30.0
_TITLES: Final[dict[type, str]] = {
    ChunkSpec: "render_chunk",
    AudioSpec: "prepare_audio",
    SurveySpec: "survey",
    StitchSpec: "stitch",
    IntakeSpec: "take_in",
    ProbeSpec: "probe",
    PreviewSpec: "preview",
}
"""What a worker process calls itself while it does such an item, after ``ray::``."""
_UNHEEDING: Final = (IntakeSpec, ProbeSpec)
"""Work that does not look at the board on its way; it ends with its process, in which it keeps
nothing."""


_BESIDE: Final = (PreviewSpec,)
"""Short work that somebody waits for: it runs at once beside what takes up the slots, in a process
that is started for it where all are busy (1 s), and not after chunks of a minute each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended: with a report or with an error."""

    attempt: str
    """The name it was submitted under."""
    report: Report | None = None
    """What the worker tells of its work."""
    error: MidifarmError | None = None
    """Why there is no report."""
    node: str | None = None
    """Id of the node that it ran on; None where it never began, or nobody knows."""
    worker: str | None = None
    """The process that it ran in."""
    wall_s: float | None = None
    """Seconds from its beginning to when its end was heard of."""


@dataclass(slots=True, kw_only=True)
class _Attempt:
    name: str
    item: Item
    node: str
    stopped: bool = False
    """Whether we stopped it: whatever Ray makes of that, it was cancelled."""


class RayExecutor:
    """Submits work to Ray and hears of its end. Made by open_executor; for one thread."""

    def __init__(
        self,
        store_url: str,
        watch: NodeWatch,
        *,
        keeps_logs: bool = False,
        traces_url: str | None = None,
    ) -> None:
        """Use the Ray that this process is connected to; see open_executor()."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from cluster import tasks
        from cluster.progress import BOARD_PREFIX, NAMESPACE, ProgressBoard

        self._ray: Any = ray
        self._on_node: Any = NodeAffinitySchedulingStrategy
        self._work = tasks.work
        self._store_url = store_url
        self._keeps_logs = keeps_logs
        self._traces_url = traces_url
        self._watch = watch
        # Beside us: then it is lost only when we are.
        context = ray.get_runtime_context()
        self._here: str = context.get_node_id()
        self._guests = Guests(ray, tasks, store_url, self._here)
        self._board: Any = ProgressBoard.options(  # type: ignore[attr-defined]  # by @ray.remote
            scheduling_strategy=self._on_node(self._here, soft=True),
            name=f"{BOARD_PREFIX}{context.get_job_id()}",
            namespace=NAMESPACE,
        ).remote()
        self._wishes = Wishes(ray, self._board)
        self._growth = Growth(ray)
        self._board_heard_s = time.monotonic() + _BOARD_WITHIN_S
        self._attempts: dict[Any, _Attempt] = {}
        self._refs: dict[str, Any] = {}
        self._status: dict[str, AttemptStatus] = {}
        self._retired: set[str] = set()
        self._chores = Chores(ray, tasks, store_url)

    def nodes(self) -> tuple[Node, ...]:
        """The living nodes, as of a few seconds ago.

        A node has no slots before it has introduced itself, which it is asked for here.

        Raises:
            ClusterLostError: Ray does not answer any more.
        """
        living = self._watch.nodes()
        self._guests.greet(living)
        leaving = self._wishes.heard(Counter(each.node for each in self._attempts.values()))
        return tuple(
            replace(self._guests.known(node), is_leaving=node.id in leaving) for node in living
        )

    def submit(self, attempt: str, item: Item, node: str, export: str | None = None) -> None:
        """Start an attempt; its outcome comes from wait().

        What a node is given beyond its slots waits there. A node that is lost by then ends the
        attempt with a transient error.

        Args:
            attempt: A name that no attempt had before.
            item: What to do; a preview takes up no slot, and waits for none.
            node: Id of the node to do it.
            export: Id of the export that it is for; what the worker tells of it says so.

        Raises:
            ClusterLostError: Ray does not answer any more.
        """
        if attempt in self._refs:
            raise ConflictError(f"The attempt {attempt} is under way already.")
        slots = self._guests.slots_of(node)
        beside = isinstance(item, _BESIDE)
        options: dict[str, Any] = {
            "name": _TITLES[type(item)],
            "scheduling_strategy": self._on_node(node, soft=False),
            "num_cpus": 0 if beside else slots.cpu_share,
            "num_gpus": 0 if beside else slots.gpu_share,
        }
        try:
            ref = self._work.options(**options).remote(
                item, self._store_url, self._board, self._errand(attempt, item, export)
            )
        except self._ray.exceptions.RayError as exc:
            raise ClusterLostError(f"Ray takes no work any more: {exc}") from exc
        self._attempts[ref] = _Attempt(name=attempt, item=item, node=node)
        self._refs[attempt] = ref

    def _errand(self, attempt: str, item: Item, export: str | None) -> Errand:
        number = attempt.removeprefix("a")
        return Errand(
            attempt=attempt,
            kind=_TITLES[type(item)],
            export=export,
            chunk=item.index if isinstance(item, ChunkSpec) else None,
            traces_url=self._traces_url,
            log_key=log_key(int(number)) if self._keeps_logs and number.isdecimal() else None,
        )

    def wait(self, timeout_s: float) -> list[Outcome]:
        """The outcomes of all attempts that have ended, after ``timeout_s`` at the latest.

        It returns as soon as there is one, and at once where nothing is under way. Each attempt
        has exactly one outcome.
        """
        refs = list(self._attempts)
        if not refs:
            return []
        done, _ = self._ray.wait(refs, num_returns=1, timeout=timeout_s)
        if done:
            done, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        if not done:
            return []
        ended = [self._attempts[ref] for ref in done]
        statuses = self._status | self._take([attempt.name for attempt in ended])
        outcomes = []
        for ref, attempt in zip(done, ended, strict=True):
            outcomes.append(self._outcome(ref, attempt, statuses.get(attempt.name)))
            del self._attempts[ref], self._refs[attempt.name]
            self._status.pop(attempt.name, None)
        return outcomes

    def _take(self, attempts: list[str]) -> dict[str, AttemptStatus]:
        try:
            found: dict[str, AttemptStatus] = self._ray.get(
                self._board.take.remote(attempts), timeout=_ANSWER_S
            )
        except self._ray.exceptions.RayError:
            return {}  # what was heard last is told instead
        return found

    def _outcome(self, ref: Any, attempt: _Attempt, status: AttemptStatus | None) -> Outcome:
        report: Report | None = None
        error: MidifarmError | None = None
        try:
            report = self._ray.get(ref, timeout=_RESULT_S)
        except (self._ray.exceptions.RayError, MidifarmError) as exc:
            error = as_midifarm_error(exc)
            if tells_of_a_dead_node(exc):
                self._watch.note_gone(attempt.node)
        if report is None:
            error = self._reason(attempt, error, status.worker if status else None)
        return Outcome(
            attempt=attempt.name,
            report=report,
            error=error,
            node=status.node if status else None,
            worker=status.worker if status else None,
            wall_s=max(0.0, time.time() - status.started_at) if status else None,
        )

    def _reason(
        self, attempt: _Attempt, error: MidifarmError | None, worker: str | None
    ) -> MidifarmError:
        """Why there is no report. A task that is killed was seen to return None, without error."""
        if attempt.stopped:
            return CancelledError("The attempt was cancelled.", attempt=attempt.name)
        if isinstance(error, CancelledError):  # by whom? not by us: it is to be done all the same
            return ClusterError("Ray gave the attempt up.", attempt=attempt.name)
        if error is None:
            error = WorkerLostError("A worker process was ended in the middle of its work.")
        if isinstance(error, WorkerLostError) and worker in self._retired:
            return ClusterError("The worker process was retired.", attempt=attempt.name)
        return error

    def status(self) -> Mapping[str, AttemptStatus]:
        """What is known of the attempts that have begun; those that wait in Ray are not in it.

        It takes 2 s at most; where the board does not answer, what it said last.

        Raises:
            ClusterLostError: Ray has not answered for long.
        """
        self._watch.check()
        self._chores.tidy()
        stopped = [attempt.name for attempt in self._attempts.values() if attempt.stopped]
        if stopped:  # told again, in case that the board has started anew
            self._board.cancel.remote(stopped)
        if not self._look() and time.monotonic() - self._board_heard_s > LOST_AFTER_S:
            raise ClusterLostError(
                "The workers' board does not answer; a fresh process must connect anew."
            )
        return dict(self._status)

    def _look(self) -> bool:
        """Read the board; whether it answered."""
        try:
            found: dict[str, AttemptStatus] = self._ray.get(
                self._board.status.remote(), timeout=_ANSWER_S
            )
        except self._ray.exceptions.RayError:
            return False
        self._board_heard_s = time.monotonic()
        self._status |= {name: status for name, status in found.items() if name in self._refs}
        return True

    def cancel(self, attempts: Collection[str]) -> None:
        """Stop attempts softly: before they begin, or between two steps of their work.

        Intakes and probes have no such steps, and are killed. The outcomes come from wait(), as
        cancelled unless the work was done already. Names that are not under way do no harm.
        """
        refs = self._stop(attempts)
        if refs:
            self._look()
        for ref in refs:
            attempt = self._attempts[ref]
            if attempt.name not in self._status or isinstance(attempt.item, _UNHEEDING):
                # Without force Ray interrupts what may have begun this moment. Amid an import
                # that was seen to leave half a library behind, for all work that followed.
                self._ray.cancel(ref, force=True, recursive=False)

    def kill(self, attempts: Collection[str]) -> None:
        """Stop attempts by ending their worker processes; see cancel() for the rest."""
        for ref in self._stop(attempts):
            self._ray.cancel(ref, force=True, recursive=False)

    def _stop(self, attempts: Collection[str]) -> list[Any]:
        refs = [self._refs[name] for name in attempts if name in self._refs]
        for ref in refs:
            self._attempts[ref].stopped = True
        if refs:
            self._board.cancel.remote([self._attempts[ref].name for ref in refs])
        return refs

    def ask_for(self, slots: Mapping[str, int]) -> None:
        """Ask for as many slots, by pool, where the cluster grows and shrinks by itself.

        Args:
            slots: What all work that waits and runs could use at once.
        """
        self._growth.ask_for(slots)

    def close(self) -> None:
        """Say the last word to the autoscaler; a second time does no harm."""
        self._growth.close()

    def sweep(self) -> None:
        """Have every node remove what killed processes left: call it after kill().

        It returns at once; a node where the last sweep still runs is none the worse for it.
        """
        self._chores.sweep(self.nodes())

    def retire(self, worker: str) -> None:
        """End a worker process that has gone bad; Ray starts a fresh one when there is work.

        What runs in it ends with a transient error and is to be done again.

        Args:
            worker: As status() and outcomes name it.
        """
        from cluster.progress import split_worker_name

        found = split_worker_name(worker, [node.id for node in self._watch.nodes()])
        if found is None:
            return  # gone with its node
        self._retired.add(worker)
        self._chores.end_process(*found)


@contextmanager
def open_executor(
    store_url: str,
    *,
    address: str | None = None,
    workers: int = 1,
    keeps_logs: bool = False,
    traces_url: str | None = None,
) -> Iterator[RayExecutor]:
    """An executor on a local Ray or on the cluster at ``address``.

    Args:
        store_url: What the workers use.
        address: Of a running cluster; None starts a Ray of this process's own.
        workers: How many processors a local Ray offers.
        keeps_logs: Whether workers keep a log of each attempt whose name is ``a`` and a number.
        traces_url: Address of a collector that workers tell what they do; None tells nobody.

    Raises:
        ClusterError: Ray could not be started or reached.
    """
    from cluster.session import ray_session

    with ray_session(address, workers):
        import ray

        home = ray.get_runtime_context().get_node_id()
        with NodeWatch(ray.nodes, home) as watch:
            executor = RayExecutor(store_url, watch, keeps_logs=keeps_logs, traces_url=traces_url)
            try:
                yield executor
            finally:
                executor.close()
