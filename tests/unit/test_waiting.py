"""Why an export waits: a truth table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from coordinator.waiting import SILENT_S, Facts, PoolNodes, Why, why_waiting
from shared.states import ExportStatus

NEXT = Facts(status=ExportStatus.QUEUED)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REASONS: dict[Why, list[tuple[dict[str, object], str]]] = {
    Why.ENDED: [
        ({"status": status}, f"It waits for nothing: it is {status}.")
        for status in ExportStatus
        if status.ended
    ],
    Why.UNDER_WAY: [
        ({"attempts": 1}, "It does not wait: 1 attempt under way."),
        ({"attempts": 3}, "It does not wait: 3 attempts under way."),
    ],
    Why.FARM_PAUSED: [
        (
            {"farm_is_paused": True},
            "The farm is paused by an operator. It goes on when it is resumed.",
        ),
        (
            {"farm_is_paused": True, "pause_reason": "The storage moves."},
            "The farm is paused by an operator: The storage moves. It goes on when it is resumed.",
        ),
    ],
    Why.EXPORT_PAUSED: [
        ({"is_paused": True}, "It is paused by an operator, and goes on when it is resumed.")
    ],
    Why.NO_DISPATCHER: [
        (facts, "No dispatcher is at work, so nothing begins; its operator must start one.")
        for facts in ({"has_leader": False}, {"silent_s": None}, {"silent_s": SILENT_S + 1})
    ],
    Why.NO_NODES: [
        (
            {"pool": "gpu", "pool_slots": 0, "nodes": PoolNodes()},
            "No node serves the pool gpu; it begins when one joins.",
        ),
        (
            {"pool_slots": 0, "nodes": PoolNodes(starting=2, silent=1)},
            "No node serves the pool default yet; 2 nodes starting.",
        ),
        (
            {"pool_slots": 0, "nodes": PoolNodes(silent=1)},
            "No node serves the pool default; 1 node kept out, as operators are told why.",
        ),
    ],
    Why.NO_SLOTS: [
        (
            {"pool": "gpu", "pool_slots": 0, "nodes": PoolNodes(there=2, draining=2)},
            "No node of the pool gpu takes work: 2 draining.",
        ),
        (
            {"pool_slots": 0, "nodes": PoolNodes(there=3, draining=1, kept_out=1)},
            (
                "No node of the pool default takes work: 1 draining, 1 kept out, as operators "
                "are told why, 1 without a slot."
            ),
        ),
    ],
    Why.NO_ENGINE: [
        (
            {"pool": "gpu", "is_stranded": True},
            (
                "No node of the pool gpu has the engine that it was begun by; if none comes back "
                "within a minute, it is planned anew for one that is there."
            ),
        )
    ],
    Why.QUOTA: [
        (
            {"user_running": 2, "quota_running": 2},
            "2 work items of yours under way, of 2 at a time: the next begins when one has ended.",
        )
    ],
    Why.RESTING: [
        (
            {"is_resting": True, "not_before": NOON},
            "Its last attempt failed or was hindered; it is tried again at 12:00:00 UTC.",
        )
    ],
    Why.MADE_ELSEWHERE: [
        (
            {"is_made_elsewhere": True},
            "What it needs next is being made for another export, and is taken from there.",
        )
    ],
    Why.TURN: [
        ({}, "It is next: it begins when a slot is free."),
        ({"silent_s": SILENT_S}, "It is next: it begins when a slot is free."),
        (
            {"user_running": 1, "quota_running": 2},
            "It is next: it begins when a slot is free.",
        ),
        ({"own_ahead": 1}, "Its turn has not come: 1 export of yours before it."),
        (
            {"own_ahead": 1000, "users_waiting": 3, "users_ahead": 1},
            (
                "Its turn has not come: work of 1 other user has a higher priority, "
                "1,000 or more exports of yours before it, the farm is shared with 2 other users."
            ),
        ),
    ],
}


def test_every_reason_has_its_rows() -> None:
    assert list(REASONS) == list(Why)


@pytest.mark.parametrize(
    ("why", "facts", "sentence"),
    [(why, *row) for why, rows in REASONS.items() for row in rows],
)
def test_the_reason_is_told(why: Why, facts: dict[str, object], sentence: str) -> None:
    reason = why_waiting(replace(NEXT, **facts))  # type: ignore[arg-type]
    assert (reason.why, reason.sentence) == (why, sentence)


def test_of_several_reasons_the_first_of_the_list_is_told() -> None:
    everything: dict[str, object] = {}
    for why in reversed(Why):
        everything |= REASONS[why][0][0]
        assert why_waiting(replace(NEXT, **everything)).why is why  # type: ignore[arg-type]


def test_an_operator_is_not_told_that_it_is_his() -> None:
    behind = why_waiting(replace(NEXT, own_ahead=2), whose="its owner's")
    assert behind.sentence == "Its turn has not come: 2 exports of its owner's before it."
    full = why_waiting(replace(NEXT, user_running=1, quota_running=1), whose="its owner's")
    assert full.sentence.startswith("1 work item of its owner's under way, of 1 at a time")
