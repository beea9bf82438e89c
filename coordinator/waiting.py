"""Why an export waits. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.pools import DEFAULT_POOL
from shared.states import ExportStatus

SILENT_S: Final = 15.0
"""A dispatcher that gave no sign of life for so long is gone, or cannot reach the database."""
MANY: Final = 1000
"""What is ahead is not counted any further."""


class Why(StrEnum):
    """What an export waits for."""

    ENDED = "ended"
    """It has ended."""
    UNDER_WAY = "under_way"
    """Workers are at it."""
    FARM_PAUSED = "farm_paused"
    """An operator lets nothing begin."""
    EXPORT_PAUSED = "export_paused"
    """An operator lets nothing of it begin."""
    NO_DISPATCHER = "no_dispatcher"
    """Nobody gives out work."""
    NO_NODES = "no_nodes"
    """No node of its pool is there."""
    NO_SLOTS = "no_slots"
    """Nodes of its pool are there, but none takes work."""
    NO_ENGINE = "no_engine"
    """No node of its pool has the engine that it was begun by."""
    QUOTA = "quota"
    """Its owner has as much under way as he may have."""
    RESTING = "resting"
    """After a failure it is not tried again at once."""
    MADE_ELSEWHERE = "made_elsewhere"
    """The same is being made for another export."""
    TURN = "turn"
    """Others come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolNodes:
    """How the nodes of a pool stand."""

    there: int = 0
    """Those that serve it, whether they take work or not."""
    draining: int = 0
    """Of these, those that finish what they are at: an operator wants it so, or they leave."""
    kept_out: int = 0
    """Of these, those that do not fit the farm, but for what drains."""
    starting: int = 0
    """Nodes that have not said yet which pools they serve."""
    silent: int = 0
    """Nodes that failed to say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an export and of the farm."""

    status: ExportStatus
    """Where it stands."""
    attempts: int = 0
    """Its attempts under way."""
    is_paused: bool = False
    """Whether an operator holds it."""
    farm_is_paused: bool = False
    """Whether an operator holds everything."""
    pause_reason: str | None = None
    """Why, in his words."""
    has_leader: bool = True
    """Whether a dispatcher leads."""
    silent_s: float | None = 0.0
    """How long ago it gave a sign of life; None: never."""
    pool: str = DEFAULT_POOL
    """The nodes that may do its work."""
    pool_slots: int = 1
    """How many work items these do at a time."""
    nodes: PoolNodes = field(default_factory=PoolNodes)
    """How they stand, and those that have not said what they serve."""
    is_stranded: bool = False
    """Whether what it needs next takes an engine that none of them has."""
    user_running: int = 0
    """Its owner's work items under way, of those that count."""
    quota_running: int | None = None
    """How many those may be."""
    is_resting: bool = False
    """Whether none of its work items may begin yet."""
    not_before: datetime | None = None
    """When the first of them may."""
    is_made_elsewhere: bool = False
    """Whether what it needs next is being made for another export."""
    own_ahead: int = 0
    """Its owner's exports that come before it, up to MANY."""
    users_waiting: int = 0
    """Other users who have work waiting, up to MANY."""
    users_ahead: int = 0
    """Of these, those whose work has a higher priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why it waits."""

    why: Why
    """For programs."""
    sentence: str
    """For people."""


def why_waiting(facts: Facts, *, whose: str = "yours") -> Reason:
    """Why an export waits; of several reasons, the one without which the others do not matter.

    Args:
        facts: What is known.
        whose: What it is to who reads the sentence: "yours", or "its owner's".
    """
    why = _why(facts)
    return Reason(why=why, sentence=_sentence(why, facts, whose))


def _why(facts: Facts) -> Why:
    checks = {
        Why.ENDED: facts.status.ended,
        Why.UNDER_WAY: facts.attempts > 0,
        Why.FARM_PAUSED: facts.farm_is_paused,
        Why.EXPORT_PAUSED: facts.is_paused,
        Why.NO_DISPATCHER: (
            not facts.has_leader or facts.silent_s is None or facts.silent_s > SILENT_S
        ),
        Why.NO_NODES: facts.pool_slots == 0 and facts.nodes.there == 0,
        Why.NO_SLOTS: facts.pool_slots == 0,
        Why.NO_ENGINE: facts.is_stranded,
        Why.QUOTA: facts.quota_running is not None and facts.user_running >= facts.quota_running,
        Why.RESTING: facts.is_resting,
        Why.MADE_ELSEWHERE: facts.is_made_elsewhere,
    }
    return next((why for why, holds in checks.items() if holds), Why.TURN)


def _sentence(why: Why, facts: Facts, whose: str) -> str:
    match why:
        case Why.ENDED:
            return f"It waits for nothing: it is {facts.status}."
        case Why.UNDER_WAY:
            return f"It does not wait: {_plural(facts.attempts, 'attempt')} under way."
        case Why.FARM_PAUSED:
            told = f": {facts.pause_reason.rstrip('.')}" if facts.pause_reason else ""
            return f"The farm is paused by an operator{told}. It goes on when it is resumed."
        case Why.EXPORT_PAUSED:
            return "It is paused by an operator, and goes on when it is resumed."
        case Why.NO_DISPATCHER:
            return "No dispatcher is at work, so nothing begins; its operator must start one."
        case Why.NO_NODES:
            return f"No node serves the pool {facts.pool}{_others(facts.nodes)}."
        case Why.NO_SLOTS:
            return f"No node of the pool {facts.pool} takes work: {_states(facts.nodes)}."
        case Why.NO_ENGINE:
            return (
                f"No node of the pool {facts.pool} has the engine that it was begun by; if none "
                "comes back within a minute, it is planned anew for one that is there."
            )
        case Why.QUOTA:
            return (
                f"{_plural(facts.user_running, 'work item')} of {whose} under way, of "
                f"{facts.quota_running:,} at a time: the next begins when one has ended."
            )
        case Why.RESTING:
            until = f" at {facts.not_before:%H:%M:%S} UTC" if facts.not_before else " in a while"
            return f"Its last attempt failed or was hindered; it is tried again{until}."
        case Why.MADE_ELSEWHERE:
            return "What it needs next is being made for another export, and is taken from there."
        case Why.TURN:
            return _turn(facts, whose)


def _others(nodes: PoolNodes) -> str:
    """What becomes of nodes that may yet serve a pool."""
    if nodes.starting:
        return f" yet; {_plural(nodes.starting, 'node')} starting"
    if nodes.silent:
        return f"; {_plural(nodes.silent, 'node')} kept out, as operators are told why"
    return "; it begins when one joins"


def _states(nodes: PoolNodes) -> str:
    """Why nodes of a pool take no work."""
    rest = nodes.there - nodes.draining - nodes.kept_out
    counts = {
        "draining": nodes.draining,
        "kept out, as operators are told why": nodes.kept_out,
        "without a slot": rest,
    }
    return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)


def _turn(facts: Facts, whose: str) -> str:
    parts = []
    if facts.users_ahead:
        parts.append(f"work of {_plural(facts.users_ahead, 'other user')} has a higher priority")
    if facts.own_ahead:
        parts.append(f"{_plural(facts.own_ahead, 'export')} of {whose} before it")
    sharing = facts.users_waiting - facts.users_ahead
    if sharing:
        parts.append(f"the farm is shared with {_plural(sharing, 'other user')}")
    if not parts:
        return "It is next: it begins when a slot is free."
    return f"Its turn has not come: {', '.join(parts)}."


def _plural(count: int, noun: str) -> str:
    more = " or more" if count >= MANY else ""
    return f"{count:,}{more} {noun}" + ("s" if count != 1 else "")
