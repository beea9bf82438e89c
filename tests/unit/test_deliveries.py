"""What webhooks are told, and when again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from coordinator.api.limits import WebhookLimits
from coordinator.deliveries import Schedule, answer_fault, message

HOUR = 3600.0
DAY = 24 * HOUR
LIMITS = WebhookLimits()
SCHEDULE = Schedule(
    first_wait_s=LIMITS.first_wait_s,
    longest_wait_s=LIMITS.longest_wait_s,
    give_up_s=LIMITS.give_up_s,
)


@pytest.mark.parametrize(
    ("failures", "waited_s", "expected"),
    [
        (1, 0.0, 1.0),
        (2, 1.0, 2.0),
        (3, 3.0, 4.0),
        (12, 2047.0, 2048.0),
        (13, 4095.0, HOUR),
        (10**9, HOUR, HOUR),
        (20, DAY - HOUR, HOUR),
        (20, DAY - HOUR + 1, None),
        (1, DAY, None),
    ],
)
def test_waits_double_up_to_an_hour_and_end_after_a_day(
    failures: int, waited_s: float, expected: float | None
) -> None:
    assert SCHEDULE.wait_s(failures, waited_s, 0.0) == expected


def test_chance_makes_a_wait_a_little_longer_never_shorter() -> None:
    waits = [SCHEDULE.wait_s(4, 0.0, chance / 10) for chance in range(11)]
    assert waits == pytest.approx([8 + 0.08 * chance for chance in range(11)])


def test_a_day_of_failures_is_some_thirty_tries() -> None:
    failures, waited_s = 1, 0.0
    while (wait_s := SCHEDULE.wait_s(failures, waited_s, 0.5)) is not None:
        failures, waited_s = failures + 1, waited_s + wait_s
    assert 30 < failures < 40
    assert DAY - 2 * HOUR < waited_s <= DAY


def test_a_try_ends_before_its_lease() -> None:
    assert LIMITS.patience_s < LIMITS.lease_s / 2


def test_a_message_says_what_happened_and_when() -> None:
    at = datetime(2026, 11, 30, 12, 0, 0, 250_000, UTC)
    body = message("export.completed", at, {"id": "exp_1", "name": "Prélude"})
    assert json.loads(body) == {
        "type": "export.completed",
        "timestamp": "2026-11-30T12:00:00.250000+00:00",
        "data": {"id": "exp_1", "name": "Prélude"},
    }
    assert body == message("export.completed", at, {"id": "exp_1", "name": "Prélude"})


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (200, None),
        (204, None),
        (299, None),
        (302, "it answers 302: redirects are not followed"),
        (404, "it answers 404, not 2xx"),
        (500, "it answers 500, not 2xx"),
    ],
)
def test_only_2xx_counts_as_delivered(status: int, told: str | None) -> None:
    assert answer_fault(status) == told
