"""The board on which workers write what they do, and read whether to stop."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

import ray

from shared.errors import CancelledError

_INTERVAL_S: Final = 0.25
"""A worker reports at most this often."""
_FIRST_ANSWER_S: Final = 1.0
"""Work begins without an answer if the board gives none."""
_ENDED_KEPT: Final = 10_000
"""Attempts that are remembered after their end, for reports that come late."""
_WISH_KEPT_S: Final = 30.0
"""A node that has not repeated for so long that it wants to leave may have work again."""
_ASLEEP_S: Final = 10.0
"""A dispatcher that has not asked for so long stands by, and has given nothing to anybody."""
NAMESPACE: Final = "midifarm"
"""Where boards are found by their names, by who did not make them."""
BOARD_PREFIX: Final = "board-"
"""What the names of boards begin with: each dispatcher has one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStatus:
    """What is known of an attempt that has begun."""

    node: str
    """Id of the node that it runs on."""
    worker: str
    """The process that it runs in: the beginning of the node's id, and the process id."""
    started_at: float
    """When it began: seconds since the epoch, on the board's clock."""
    frames: int
    """Frames done; 0 for work that has none."""
    silent_s: float
    """Seconds since its last report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a worker reports."""

    attempt: str
    node: str
    worker: str
    running_s: float
    frames: int


@ray.remote(num_cpus=0, max_restarts=-1)
class ProgressBoard:
    """An actor that holds the progress of the attempts under way.

    It holds nothing that matters: after a crash it starts empty and fills within a second.
    """

    def __init__(self) -> None:
        """Start with an empty board."""
        self._notes: dict[str, tuple[Note, float]] = {}
        self._cancelled: set[str] = set()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._wishes: dict[str, float] = {}
        """Nodes that want to leave, and when they said so last."""
        self._given: dict[str, int] = {}
        """What the dispatcher had given to nodes that it knew to be leaving, and not got back."""
        self._told: set[str] = set()
        self._asked_s = time.monotonic()
        """When the dispatcher asked last; it is given time to, for this may be a second start."""

    def report(self, note: Note) -> bool:
        """Note what a worker reports; True tells it to stop."""
        if note.attempt in self._ended:
            return True  # nobody waits for it any more
        self._notes[note.attempt] = note, time.time()
        return note.attempt in self._cancelled

    def cancel(self, attempts: list[str]) -> None:
        """Have attempts told to stop when they report next."""
        self._cancelled.update(attempt for attempt in attempts if attempt not in self._ended)

    def take(self, attempts: list[str]) -> dict[str, AttemptStatus]:
        """The last that is known of attempts that have ended; they are dropped."""
        found = self.status(attempts)
        for attempt in attempts:
            self._notes.pop(attempt, None)
            self._cancelled.discard(attempt)
            self._ended[attempt] = None
        while len(self._ended) > _ENDED_KEPT:
            self._ended.popitem(last=False)
        return found

    def status(self, attempts: list[str] | None = None) -> dict[str, AttemptStatus]:
        """What is known of each of these attempts, or of all that have begun."""
        now = time.time()
        found = {}
        for attempt in self._notes if attempts is None else attempts:
            if attempt in self._notes:
                note, at = self._notes[attempt]
                found[attempt] = AttemptStatus(
                    node=note.node,
                    worker=note.worker,
                    started_at=at - note.running_s,
                    frames=note.frames,
                    silent_s=max(0.0, now - at),
                )
        return found

    def leave(self, node: str) -> int | None:
        """Note that a node wants nothing more: to be repeated until it has ended.

        Returns:
            As at_work().
        """
        self._wishes[node] = time.monotonic()
        return self.at_work(node)

    def stay(self, node: str) -> None:
        """Note that a node wants work again."""
        self._wishes.pop(node, None)

    def at_work(self, node: str) -> int | None:
        """How many attempts a node still has to end; None while it may be given others."""
        begun = sum(note.node == node for note, _ in self._notes.values())
        if time.monotonic() - self._asked_s > _ASLEEP_S:
            return begun
        return self._given.get(node)

    def leaving(self, given: dict[str, int]) -> frozenset[str]:
        """Tell a dispatcher which nodes want to leave.

        Args:
            given: How many attempts it has given to each node and not got back.
        """
        now_s = self._asked_s = time.monotonic()
        self._wishes = {
            node: said_s for node, said_s in self._wishes.items() if now_s - said_s < _WISH_KEPT_S
        }
        # Only a dispatcher that has known for a turn gives nothing more.
        self._given = {node: given.get(node, 0) for node in self._told & self._wishes.keys()}
        self._told = set(self._wishes)
        return frozenset(self._wishes)


def worker_name(node: str, pid: int) -> str:
    """The short name of a worker process."""
    return f"{node[:12]}:{pid}"


def own_name() -> str:
    """The short name of this worker process."""
    return worker_name(ray.get_runtime_context().get_node_id(), os.getpid())


def split_worker_name(worker: str, nodes: Collection[str]) -> tuple[str, int] | None:
    """Node id and process id of a worker; None where its node is none of these."""
    start, _, pid = worker.partition(":")
    for node in nodes:
        if node.startswith(start) and pid.isdecimal():
            return node, int(pid)
    return None


class Reporter:
    """A worker's side: reports a few times a second, and raises when told to stop."""

    def __init__(self, board: Any, attempt: str) -> None:
        """Report to a board's actor handle that an attempt begins.

        Raises:
            CancelledError: The attempt was cancelled.
        """
        node = ray.get_runtime_context().get_node_id()
        self._send: Callable[[float, int], Future[bool]] = lambda running_s, frames: (
            board.report.remote(
                Note(
                    attempt=attempt,
                    node=node,
                    worker=worker_name(node, os.getpid()),
                    running_s=running_s,
                    frames=frames,
                )
            ).future()
        )
        self._attempt = attempt
        self._began_s = time.monotonic()
        self._next_s = self._began_s + _INTERVAL_S
        # A future, since ray.get would hand this worker's processor to somebody else meanwhile.
        self._answer = self._send(0.0, 0)
        self._heed(_FIRST_ANSWER_S)

    def __call__(self, frames: int) -> None:
        """Note the number of frames done.

        Raises:
            CancelledError: The attempt was cancelled.
        """
        now = time.monotonic()
        # The answer is that to the report before: drawing never waits for the network.
        if now < self._next_s or not self._answer.done():
            return
        self._next_s = now + _INTERVAL_S
        self._heed(0)
        self._answer = self._send(now - self._began_s, frames)

    def _heed(self, timeout_s: float) -> None:
        try:
            stop = self._answer.result(timeout_s)
        except (ray.exceptions.RayError, TimeoutError):
            return  # a board that starts again has forgotten, and is told again
        if stop:
            raise CancelledError("The attempt was cancelled.", attempt=self._attempt)
