"""Token buckets, on a clock of the test's own."""

from __future__ import annotations

import pytest

from coordinator.api.identities import network_of
from coordinator.api.rate import RateLimit


class Clock:
    """Shows what it is set to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_at_once_and_fills_over_time() -> None:
    clock = Clock()
    limit = RateLimit(2.0, 3, clock=clock)
    assert [limit.take("ada") for _ in range(3)] == [0, 0, 0]
    assert limit.take("ada") == pytest.approx(0.5)
    assert limit.take("ada") == pytest.approx(0.5)  # who is refused loses nothing by it
    assert limit.take("bob") == 0
    clock.now += 0.25
    assert limit.take("ada") == pytest.approx(0.25)
    clock.now += 0.25
    assert limit.take("ada") == 0
    assert limit.take("ada") > 0
    clock.now += 1000
    assert [limit.take("ada") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]


def test_a_token_that_was_given_back_can_be_taken_again() -> None:
    limit = RateLimit(1.0, 1, clock=Clock())
    assert limit.take("ada") == 0
    limit.give_back("ada")
    limit.give_back("nobody")
    assert limit.take("ada") == 0
    assert limit.take("ada") > 0


def test_full_buckets_are_not_kept_and_others_only_so_many() -> None:
    clock = Clock()
    limit = RateLimit(1.0, 5, most=100, clock=clock)
    for number in range(1000):
        assert limit.take(f"user {number}") == 0
    assert len(limit) == 100
    clock.now += 10
    assert limit.take("ada") == 0
    assert len(limit) == 1


@pytest.mark.parametrize(("per_s", "burst"), [(0.0, 5), (5.0, 0)])
def test_nothing_is_no_limit(per_s: float, burst: int) -> None:
    limit = RateLimit(per_s, burst, clock=Clock())
    assert {limit.take("ada") for _ in range(1000)} == {0}
    assert len(limit) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_whoever_has_a_network_has_one_bucket_for_it(address: str, network: str) -> None:
    assert network_of(address) == network
