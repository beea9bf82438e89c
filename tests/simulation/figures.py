"""What came of a simulation, in numbers. Pure.

*Makespan* is the time from when all exports are accepted until the last one is completed. Its
*lower bound* is what no dispatcher could beat, were no node ever lost and no attempt slow: the
larger of all work at speed 1 by the speed of all slots together, and the longest chain of steps of
one export (intake, its longest chunk or its sound, stitch) on the fastest node.

*Fairness* is Jain's index of the service that each user got while all had demand: (Σx)² / (n Σx²),
which is 1 where all got the same. Service is the time of slots that his attempts had, each times
the speed of its node. All have demand in those moments in which a work item of each user waits that
could begin; all such moments of the simulation count.

*Duplicate work* is the part of all time of slots that went to attempts beside, or after, the one
whose result was taken: slow ones that were overtaken, and second ones that came too late. What was
lost with a node, or crashed, is told by itself.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

MAKESPAN: Final = 1.10
"""The largest makespan, in lower bounds."""
FAIRNESS: Final = 0.95
"""The smallest index of fairness."""
DUPLICATES: Final = 0.02
"""The largest part that is done twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt that has ended."""

    what: str
    """Which work item it was about."""
    user: str
    """Whose it was."""
    begun_s: float
    """When."""
    ended_s: float
    """When."""
    speed: float
    """Of its node."""
    end: str
    """How it ended: done, stopped, crashed or lost."""

    @property
    def took_s(self) -> float:
        """Time of a slot."""
        return self.ended_s - self.begun_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """How an export went."""

    user: str
    """Whose it was."""
    begun_s: float
    """When its first work item began, since all were accepted."""
    ended_s: float
    """When it was completed."""


Spans = Sequence[tuple[float, float]]
"""Some time: from when to when, in order, none touching another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of it."""

    makespan_s: float
    """From accepting all exports to the end of the last one."""
    work_bound_s: float
    """All work by the speed of all slots."""
    path_bound_s: float
    """The longest chain of one export."""
    fairness: float
    """Jain's index."""
    contended_s: float
    """How much of the time all users had demand."""
    duplicates: float
    """Part of the time of slots that was spent twice."""
    lost: float
    """Part that was lost with nodes."""
    crashed: float
    """Part that crashed."""
    busy: float
    """Part of the time of all slots, until the last end, that was spent at all."""
    begun_s: Mapping[str, float]
    """Waits until exports began, by percentile."""
    ended_s: Mapping[str, float]
    """Waits until they were completed, by percentile."""

    @property
    def bound_s(self) -> float:
        """What no dispatcher could beat."""
        return max(self.work_bound_s, self.path_bound_s)

    @property
    def ratio(self) -> float:
        """Makespan by its lower bound."""
        return self.makespan_s / self.bound_s

    @property
    def missed(self) -> list[str]:
        """What is not as it should be, a sentence each."""
        told = []
        if self.ratio > MAKESPAN:
            told.append(f"The makespan is {self.ratio:.3f} lower bounds, more than {MAKESPAN:.2f}.")
        if self.fairness < FAIRNESS:
            told.append(f"Fairness is {self.fairness:.3f}, less than {FAIRNESS:.2f}.")
        if self.duplicates > DUPLICATES:
            told.append(f"{self.duplicates:.1%} is done twice, more than {DUPLICATES:.0%}.")
        return told

    def as_dict(self) -> dict[str, Any]:
        """All of it, as plain data."""
        return {**asdict(self), "bound_s": self.bound_s, "ratio": self.ratio}


def figures(
    exports: Sequence[Export],
    tried: Collection[Tried],
    waits: Mapping[str, Iterable[tuple[float, float]]],
    *,
    work_s: float,
    path_s: float,
    speed: float,
    fastest: float,
    slots: int,
) -> Figures:
    """Count what came of a simulation.

    Args:
        exports: All of them, completed.
        tried: All attempts that had a slot.
        waits: From when to when work items waited that could begin, by user.
        work_s: All work at speed 1.
        path_s: The longest chain of steps of one export at speed 1.
        speed: Of all slots together.
        fastest: Of the fastest slot.
        slots: How many there are.
    """
    makespan_s = max(each.ended_s for each in exports)
    spent_s = sum(each.took_s for each in tried)
    contended = common([union(spans) for spans in waits.values()])
    return Figures(
        makespan_s=makespan_s,
        work_bound_s=work_s / speed,
        path_bound_s=path_s / fastest,
        fairness=jain(service(tried, waits, contended).values()),
        contended_s=sum(to_s - from_s for from_s, to_s in contended),
        duplicates=duplicate_s(tried) / spent_s,
        lost=sum(each.took_s for each in tried if each.end == "lost") / spent_s,
        crashed=sum(each.took_s for each in tried if each.end == "crashed") / spent_s,
        busy=spent_s / (makespan_s * slots),
        begun_s=percentiles([each.begun_s for each in exports]),
        ended_s=percentiles([each.ended_s for each in exports]),
    )


def union(spans: Iterable[tuple[float, float]]) -> Spans:
    """All of the time that is in any of these."""
    found: list[tuple[float, float]] = []
    for from_s, to_s in sorted(spans):
        if found and from_s <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], to_s)
        elif to_s > from_s:
            found.append((from_s, to_s))
    return found


def common(unions: Sequence[Spans]) -> Spans:
    """The time that is in all of these."""
    begins = [(from_s, 1) for spans in unions for from_s, _ in spans]
    edges = sorted(begins + [(to_s, -1) for spans in unions for _, to_s in spans])
    found, depth = [], 0
    for (at_s, step), (next_s, _) in itertools.pairwise(edges):
        depth += step
        if depth == len(unions) and next_s > at_s:
            found.append((at_s, next_s))
    return union(found)


def service(tried: Iterable[Tried], users: Iterable[str], during: Spans) -> dict[str, float]:
    """What each user got during some time: time of slots, times their speed."""
    got = dict.fromkeys(users, 0.0)
    starts = [from_s for from_s, _ in during]
    before_s = [0.0, *itertools.accumulate(to_s - from_s for from_s, to_s in during)]

    def until_s(at_s: float) -> float:
        place = bisect.bisect_right(starts, at_s)
        if place == 0:
            return 0.0
        from_s, to_s = during[place - 1]
        return before_s[place - 1] + min(at_s, to_s) - from_s

    for each in tried:
        got[each.user] += (until_s(each.ended_s) - until_s(each.begun_s)) * each.speed
    return got


def jain(shares: Iterable[float]) -> float:
    """Jain's index of fairness: 1 where all are alike, 1/n where one has everything."""
    found = list(shares)
    squares = sum(share * share for share in found)
    return sum(found) ** 2 / (len(found) * squares) if squares else 1.0


def duplicate_s(tried: Iterable[Tried]) -> float:
    """Time of slots that went to other attempts than the first that was done, of the same item."""
    by_item: defaultdict[str, list[Tried]] = defaultdict(list)
    for each in tried:
        if each.end in ("done", "stopped"):
            by_item[each.what].append(each)
    spent_s = 0.0
    for attempts in by_item.values():
        done = [each for each in attempts if each.end == "done"]
        first = min(done, key=lambda each: each.ended_s, default=None)
        spent_s += sum(each.took_s for each in attempts if each is not first)
    return spent_s


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Some percentiles, and the most."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{each}": cuts[each - 1] for each in (10, 50, 90, 99)} | {"max": max(values)}
