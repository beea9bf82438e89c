"""A cluster that is only imagined: an Executor in which virtual time passes while it is waited for.

Nodes have slots that are equally fast; what is given to a node beyond these waits there. An attempt
takes what its work takes at speed 1, divided by the speed of its node; a straggler takes several
times as long, and a crash ends an attempt somewhere on its way. A node that fails says nothing: the
cluster notices it a while later, and then ends what ran there. Nothing is drawn or stored.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from coordinator.dispatcher.running import size_of
from coordinator.ports import Item, Report
from shared.errors import CancelledError, ClusterError, MidifarmError, WorkerLostError
from shared.intake import Intake, IntakeSpec
from shared.keys import digest
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    SegmentReport,
    StitchReport,
    StitchSpec,
)
from tests.farm import PaintedNode, PaintedOutcome, PaintedStatus
from tests.simulation.chance import Chance
from tests.simulation.clock import VirtualClock
from tests.simulation.nodes import START_S, Attempt, SimulatedNode, lives
from tests.simulation.workload import Workload

_NOTICED_S: Final = 10.0
"""After so long, a node that fails is known to have failed."""
_HEED_S: Final = 0.3
"""What work under way takes to stop when it is told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong, and how slow the dispatcher is said to be."""

    lost_per_hour: float = 0.01
    """Part of the nodes that fail in an hour."""
    stragglers: float = 0.003
    """Part of the attempts that take far longer than others."""
    slower: tuple[float, float] = (4.0, 12.0)
    """How many times as long."""
    crashes: float = 0.001
    """Part of the attempts whose process dies."""
    round_s: float = 0.25
    """What a round of the dispatcher takes."""
    call_s: float = 0.001
    """What each result that is taken, and each attempt that is begun, adds to that."""


class SimulatedCluster:
    """The nodes, and what they are at."""

    def __init__(
        self,
        clock: VirtualClock,
        workload: Workload,
        *,
        nodes: int,
        slots: int,
        faults: Faults,
    ) -> None:
        """All nodes are there.

        Args:
            clock: Moved by wait().
            workload: Knows what is done, and what it takes.
            nodes: How many there are.
            slots: Of each.
            faults: What goes wrong.
        """
        self.attempts: list[Attempt] = []
        """All that there have been."""
        self.failures = 0
        """Nodes that have failed."""
        self.speeds: dict[str, float] = {}
        """Of all nodes that there have been."""
        self._chance = Chance(workload.chance.seed)
        self._clock, self._workload, self._faults = clock, workload, faults
        self._lives = [
            lives(self._chance, number, slots, faults.lost_per_hour / 3600)
            for number in range(nodes)
        ]
        self._nodes: dict[str, SimulatedNode] = {}
        self._under_way: dict[str, Attempt] = {}
        self._outcomes: list[PaintedOutcome] = []
        self._events: list[tuple[float, int, str, object]] = []
        self._numbers = itertools.count()
        self._calls = 0
        for number in range(nodes):
            self._join(number)

    @property
    def speed(self) -> float:
        """Of all slots together, were no node away."""
        living = list(self._nodes.values())
        return sum(node.speed * node.slots for node in living)

    def nodes(self) -> list[PaintedNode]:
        return [node.shown for node in self._nodes.values()]

    def submit(self, attempt: str, item: Item, node: str, export: str | None = None) -> None:
        self._calls += 1
        begun = Attempt(attempt, item, node, self._clock.now_s())
        self.attempts.append(begun)
        self._under_way[attempt] = begun
        there = self._nodes.get(node)
        if there is None:
            self._end(begun, "lost", ClusterError("The node is gone."))
            return
        there.waiting.append(begun)
        self._begin_what_can(there)

    def wait(self, timeout_s: float) -> list[PaintedOutcome]:
        # What the dispatcher was at since it asked last has taken its time, too.
        spent_s = self._faults.round_s + self._calls * self._faults.call_s
        until_s = self._clock.now_s() + spent_s
        self._pass(until_s)
        while not self._outcomes and self._under_way:
            next_s = self._events[0][0] if self._events else float("inf")
            self._pass(min(next_s, until_s + timeout_s))
            if self._clock.now_s() >= until_s + timeout_s:
                break
        found, self._outcomes = self._outcomes, []
        self._calls = len(found)
        return found

    def status(self) -> dict[str, PaintedStatus]:
        now_s, epoch_s = self._clock.now_s(), self._clock.epoch_s()
        return {
            each.name: PaintedStatus(
                frames=_frames_done(each, now_s),
                node=each.node,
                worker=_worker(each),
                started_at=epoch_s - (now_s - each.begun_s),
            )
            for each in self._under_way.values()
            if each.begun_s is not None
        }

    def cancel(self, attempts: Collection[str]) -> None:
        for attempt in self._known(attempts):
            if attempt.begun_s is None:
                self._stop(attempt)
            else:
                self._at(self._clock.now_s() + _HEED_S, "stop", attempt)

    def kill(self, attempts: Collection[str]) -> None:
        for attempt in self._known(attempts):
            self._stop(attempt)

    def ask_for(self, slots: Mapping[str, int]) -> None:
        pass

    def sweep(self) -> None:
        pass

    def retire(self, worker: str) -> None:
        node, _, slot = worker.rpartition(":")
        if node in self._nodes:
            self._nodes[node].started.discard(int(slot))

    def _known(self, names: Collection[str]) -> list[Attempt]:
        return [self._under_way[name] for name in names if name in self._under_way]

    def _at(self, at_s: float, what: str, about: object) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), what, about))

    def _pass(self, until_s: float) -> None:
        """Let time pass, and happen what happens."""
        while self._events and self._events[0][0] <= until_s:
            at_s, _, what, about = heapq.heappop(self._events)
            self._clock.advance(at_s)
            match what, about:
                case "end", Attempt() as attempt if attempt.end == "":
                    self._finish(attempt)
                case "stop", Attempt() as attempt if attempt.end == "":
                    self._stop(attempt)
                case "fail", SimulatedNode() as node:
                    self._fail(node)
                case "notice", SimulatedNode() as node:
                    self._notice(node)
                case "join", int() as number:
                    self._join(number)
        self._clock.advance(until_s)

    def _join(self, number: int) -> None:
        node = next(self._lives[number])
        self._nodes[node.id] = node
        self.speeds[node.id] = node.speed
        self._at(node.fails_s, "fail", node)
        self._at(node.back_s, "join", number)

    def _fail(self, node: SimulatedNode) -> None:
        self.failures += 1
        for attempt in node.running.values():
            attempt.end, attempt.ended_s = "lost", self._clock.now_s()
        self._at(self._clock.now_s() + _NOTICED_S, "notice", node)

    def _notice(self, node: SimulatedNode) -> None:
        del self._nodes[node.id]
        lost = ClusterError("The node that the work ran on is lost.")
        for attempt in [each for each in self._under_way.values() if each.node == node.id]:
            self._end(attempt, "lost", lost)

    def _begin_what_can(self, node: SimulatedNode) -> None:
        now_s = self._clock.now_s()
        if now_s >= node.fails_s:
            return
        while node.waiting and (slot := node.free_slot()) is not None:
            attempt = node.waiting.popleft()
            node.running[slot] = attempt
            attempt.begun_s, attempt.slot = now_s, slot
            takes_s = self._workload.work_s(attempt.item) / node.speed
            if self._chance.part(attempt.name, "straggler") < self._faults.stragglers:
                takes_s *= self._chance.between(*self._faults.slower, attempt.name, "slower")
            if slot not in node.started:
                node.started.add(slot)
                takes_s += START_S
            attempt.ends_s = now_s + takes_s
            if self._crashes(attempt):
                takes_s *= self._chance.part(attempt.name, "crashed")
            self._at(now_s + takes_s, "end", attempt)

    def _crashes(self, attempt: Attempt) -> bool:
        return self._chance.part(attempt.name, "crash") < self._faults.crashes

    def _finish(self, attempt: Attempt) -> None:
        if self._crashes(attempt):
            self._nodes[attempt.node].started.discard(attempt.slot)
            self._end(attempt, "crashed", WorkerLostError("The worker process died."))
        else:
            self._end(attempt, "done", None)

    def _stop(self, attempt: Attempt) -> None:
        if attempt.end == "":
            self._end(attempt, "stopped", CancelledError("It was cancelled."))

    def _end(self, attempt: Attempt, how: str, error: MidifarmError | None) -> None:
        now_s = self._clock.now_s()
        attempt.end = attempt.end or how
        attempt.ended_s = now_s if attempt.ended_s is None else attempt.ended_s
        del self._under_way[attempt.name]
        has_begun = attempt.begun_s is not None
        self._outcomes.append(
            PaintedOutcome(
                attempt=attempt.name,
                report=_report(attempt.item, self._workload) if error is None else None,
                error=error,
                node=attempt.node if has_begun else None,
                worker=_worker(attempt) if has_begun else None,
                wall_s=None if attempt.begun_s is None else now_s - attempt.begun_s,
            )
        )
        node = self._nodes.get(attempt.node)
        if node is not None:
            if has_begun:
                del node.running[attempt.slot]
            else:
                node.waiting.remove(attempt)
            self._begin_what_can(node)


def _worker(attempt: Attempt) -> str:
    return f"{attempt.node}:{attempt.slot}"


def _frames_done(attempt: Attempt, now_s: float) -> int:
    if not isinstance(attempt.item, ChunkSpec | StitchSpec) or attempt.begun_s is None:
        return 0
    part = (now_s - attempt.begun_s) / (attempt.ends_s - attempt.begun_s)
    return int(min(part, 1.0) * (size_of(attempt.item) or 0))


def _report(item: Item, workload: Workload) -> Report:
    """What a worker tells; every song is another one, so that nothing is found."""
    match item:
        case IntakeSpec():
            song = workload.song_of(item)
            return Intake(
                composition=item.composition,
                song_key=f"songs/{song.number}.npz",
                title=str(song.number),
                notes=10,
                notes_in_range=10,
                end_s=song.seconds,
                recording_key=item.recording_key,
                recording_s=song.seconds,
                soundfont_key=None,
                warnings=(),
            )
        case ChunkSpec():
            return SegmentReport(
                index=item.index,
                key=item.key,
                frames=len(item.frames),
                size_bytes=1000,
                sha256=digest(item.key.encode()),
            )
        case AudioSpec():
            return AudioReport(
                key=item.key,
                integrated_lufs=-14.0,
                true_peak_dbtp=-1.0,
                size_bytes=1000,
                sha256=digest(item.key.encode()),
            )
        case StitchSpec():
            return StitchReport(
                key=item.key,
                frames=item.frames,
                size_bytes=1000,
                sha256=digest(item.key.encode()),
            )
    raise AssertionError(item)
