"""What waits for a client, and what it was told."""

from __future__ import annotations

import asyncio

import pytest

from coordinator.api.streams import Place, read_place
from coordinator.api.subscription import Subscription
from coordinator.database.events import Event
from coordinator.newest import Newest


def event(number: int, export_id: str = "exp_1", *, passing: bool = True) -> Event:
    return Event(
        id=number,
        export_id=export_id,
        user_id="ada",
        batch_id=None,
        passing=passing,
        ended=False,
        data="{}",
    )


def waiting(subscription: Subscription) -> list[int]:
    return [each.id for each in asyncio.run(subscription.receive()).events]


def test_progress_that_waits_gives_way_to_what_comes_later_of_its_export() -> None:
    subscription = Subscription(3, merges=True)
    for number in range(1, 10):
        subscription.put(event(number))
    subscription.put(event(10, "exp_2"))
    subscription.put(event(11, passing=False))
    subscription.put(event(12))
    assert waiting(subscription) == [10, 11, 12]
    subscription.put(event(13))
    assert waiting(subscription) == [13]


def test_of_one_export_all_is_told() -> None:
    subscription = Subscription(3, merges=False)
    for number in range(1, 4):
        subscription.put(event(number))
    assert waiting(subscription) == [1, 2, 3]


def test_a_queue_that_is_full_is_dropped() -> None:
    subscription = Subscription(2, merges=True)
    for number in range(1, 5):
        subscription.put(event(number, passing=False))
    delivery = asyncio.run(subscription.receive())
    assert (delivery.events, delivery.stale) == ((), True)


def test_what_is_older_than_what_was_told_is_no_news() -> None:
    newest = Newest(2)
    told = [("a", 3), ("a", 3), ("a", 2), ("b", 1), ("a", 4)]
    assert [newest.take(*each) for each in told] == [True, False, False, True, True]
    assert newest.take("c", 5)  # one too many: b is forgotten
    assert [newest.take("b", 1), newest.take("c", 5)] == [True, False]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0", Place(after=0, has_end=False)),
        (" 17 ", Place(after=17, has_end=False)),
        ("17-end", Place(after=17, has_end=True)),
        *((text, None) for text in (None, "", "-end", "17-", "1.5", "٣", "9" * 19)),
    ],
)
def test_places(text: str | None, place: Place | None) -> None:
    assert read_place(text) == place
