"""What an autoscaler is asked for: a truth table."""

from __future__ import annotations

import pytest

from coordinator.dispatcher.demand import slots_wanted


@pytest.mark.parametrize(
    ("items", "wanted"),
    [
        ([], {}),
        ([("default", 3)], {"default": 3}),
        ([("default", 3), ("gpu", 0)], {"default": 3}),
        ([("default", 2), ("gpu", 5), ("default", 4)], {"default": 6, "gpu": 5}),
        ([("", 2)], {"default": 2}),
        ([("gpu", 1), ("", 2), ("default", 1)], {"gpu": 1, "default": 3}),
        ([("gpu", 8), ("gpu", 8)], {"gpu": 10}),
        ([("gpu", 100_000), ("default", 10)], {"gpu": 10, "default": 10}),
    ],
)
def test_each_item_wants_a_slot_up_to_a_bound(
    items: list[tuple[str, int]], wanted: dict[str, int]
) -> None:
    assert slots_wanted(items, most=10) == wanted
