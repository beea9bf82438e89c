"""Killing: which process next, when, and how long it was missed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psutil  # type: ignore[import-untyped]

from tests.chaos.clock import ChaosError, Clock
from tests.chaos.service import Service, Victim

_BACK_WITHIN_S: Final = 60.0
_WORKER_WITHIN_S: Final = 60.0
_DEAD_WITHIN_S: Final = 15.0
_JITTER: Final = 0.3
"""Part of the way to the next kill by which one comes early or late."""
_SIGNALS: Final = {Victim.POSTGRES: signal.SIGINT}
"""A fast shutdown, after which it is started again; everybody else gets no chance to react."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedKill:
    """A kill that is to come."""

    victim: Victim
    """Who."""
    share: float
    """When: so much of all chunks has been committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A kill that was made. Times are seconds since the epoch."""

    victim: Victim
    """Who."""
    pid: int
    """Which process it was."""
    chunks: int
    """Chunks that had been committed before."""
    under_way: int
    """Attempts that were under way."""
    at: float
    """When the signal was sent."""
    dead_at: float
    """When the process was gone."""
    back_at: float
    """When another one did its work."""

    def facts(self) -> dict[str, Any]:
        """What is told of it."""
        return {
            "victim": str(self.victim),
            "pid": self.pid,
            "chunks_committed": self.chunks,
            "attempts_under_way": self.under_way,
            "at": round(self.at, 3),
            "dead_after_s": round(self.dead_at - self.at, 3),
            "back_after_s": round(self.back_at - self.at, 3),
        }


def plan_kills(chance: random.Random, counts: Mapping[Victim, int]) -> tuple[PlannedKill, ...]:
    """Who is killed when: evenly over the work, in an order and with a jitter from the seed."""
    victims = [victim for victim, count in counts.items() for _ in range(count)]
    chance.shuffle(victims)
    return tuple(
        PlannedKill(
            victim=victim,
            share=(number + 1 + chance.uniform(-_JITTER, _JITTER)) / (len(victims) + 1),
        )
        for number, victim in enumerate(victims)
    )


def carry_out(
    planned: PlannedKill, service: Service, clock: Clock, chance: random.Random, chunks: int
) -> Kill:
    """Kill a process and wait until another one does its work.

    Args:
        planned: Whom.
        service: Where.
        clock: What may be waited.
        chance: Which of several workers.
        chunks: How many have been committed so far, for the record.

    Raises:
        ChaosError: There is nobody to kill, or nobody takes its place.
    """
    victim = planned.victim
    rows = service.query("select count(*) as count from attempts where outcome is null")
    others: set[int] = set()
    if victim is Victim.WORKER:
        busy = clock.wait_for(
            service.busy_workers,
            "a worker that renders a chunk",
            within_s=_WORKER_WITHIN_S,
            tick_s=0.005,
        )
        pid, others = chance.choice(busy), set(service.workers())
    else:
        found = service.pid_of(victim)
        if found is None:
            raise ChaosError(f"There is no {victim} to kill.")
        pid = found
    process = psutil.Process(pid)
    at = time.time()
    os.kill(pid, _SIGNALS.get(victim, signal.SIGKILL))
    clock.wait_for(
        lambda: _has_ended(process),
        f"the end of the {victim} {pid}",
        within_s=_DEAD_WITHIN_S,
        tick_s=0.005,
    )
    dead_at = time.time()

    def back() -> bool:
        if victim is Victim.WORKER:
            return bool(set(service.workers()) - others)
        return service.is_back(victim, pid) is not None

    clock.wait_for(back, f"somebody in the place of the {victim} {pid}", within_s=_BACK_WITHIN_S)
    return Kill(
        victim=victim,
        pid=pid,
        chunks=chunks,
        under_way=rows[0]["count"],
        at=at,
        dead_at=dead_at,
        back_at=time.time(),
    )


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
