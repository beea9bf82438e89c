"""Which work item comes next: a truth table, and laws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coordinator.dispatcher.choosing import Most, Turns, Waiting, choose

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def item(
    number: int,
    user: str = "ada",
    *,
    rank: int = 1,
    priority: int = 0,
    queued_s: int = 0,
    export: str = "exp_1",
    position: int = 0,
    content: str | None = None,
) -> Waiting:
    return Waiting(
        id=number,
        kind="chunk",
        user_id=user,
        export_id=export,
        asset_id=None,
        rank=rank,
        priority=priority,
        queued_at=NOON + timedelta(seconds=queued_s),
        position=position,
        chunk_index=0,
        content_key=content,
        found_key=None,
    )


def chosen(*waiting: Waiting, room: int = 10, running: dict[str, int] | None = None) -> list[int]:
    return [each.id for each, _ in choose(waiting, places(room), Turns(running=running or {}))]


def places(room: int) -> Callable[[Waiting], str | None]:
    """One node with so much room."""
    left = iter(range(room))
    return lambda item: None if next(left, None) is None else "node"


def test_first_in_first_out_between_equals() -> None:
    assert chosen(item(1, queued_s=5), item(2, queued_s=1), item(3, queued_s=3)) == [2, 3, 1]


def test_chunks_of_an_export_come_in_their_order() -> None:
    assert chosen(item(1, position=4), item(2, position=2), item(3, position=3)) == [2, 3, 1]


def test_the_higher_priority_comes_first_whosever_it_is() -> None:
    waiting = [item(1, "ada"), item(2, "ben", priority=5), item(3, "ben", priority=-5)]
    assert chosen(*waiting) == [2, 1, 3]


def test_probes_come_before_every_priority() -> None:
    assert chosen(item(1, priority=100), item(2, "ben", rank=0, queued_s=9)) == [2, 1]


def test_who_has_least_under_way_comes_first() -> None:
    waiting = [item(1, "ada"), item(2, "ada"), item(3, "ben", queued_s=9)]
    assert chosen(*waiting, running={"ada": 2}) == [3, 1, 2]


def test_users_take_turns_even_with_a_single_slot() -> None:
    served: dict[str, int] = {}
    ada = [item(number, "ada") for number in range(10)]
    ben = [item(number, "ben", queued_s=9) for number in range(10, 13)]
    order = []
    for _ in range(6):
        ((first, _),) = choose([*ada, *ben], places(1), Turns(running={}, served=served))
        (ada if first in ada else ben).remove(first)
        order.append(first.user_id)
    assert order == ["ada", "ben"] * 3


def test_what_no_node_has_room_for_holds_nobody_back() -> None:
    first = replace(item(1), pool="gpu")
    waiting = [first, item(2, position=1), item(3, "ben")]
    found = choose(waiting, lambda each: None if each.pool == "gpu" else "node", Turns())
    assert sorted(each.id for each, _ in found) == [2, 3]


def test_the_same_content_is_begun_once() -> None:
    waiting = [item(1, content="x"), item(2, "ben", content="x"), item(3, "ben", content="y")]
    assert chosen(*waiting) == [1, 3]


@given(
    st.lists(
        st.builds(
            item,
            st.integers(1, 10**6),
            st.sampled_from("abcde"),
            priority=st.integers(-2, 2),
            queued_s=st.integers(0, 5),
            position=st.integers(0, 5),
        ),
        unique_by=lambda each: each.id,
    ),
    st.integers(0, 12),
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 6)),
)
def test_shares_are_fair(waiting: list[Waiting], room: int, running: dict[str, int]) -> None:
    placed = choose(waiting, places(room), Turns(running=running, served={}))
    result = [each for each, _ in placed]
    assert len(result) == min(room, len(waiting))
    left = [each for each in waiting if each not in result]
    after = Counter(running)
    after.update(each.user_id for each in result)
    for taken in result:
        for other in left:
            # Nobody is passed over by somebody of the same priority who has more under way.
            assert taken.priority >= other.priority
            if taken.priority == other.priority:
                assert after[taken.user_id] <= max(
                    after[other.user_id] + 1, running.get(taken.user_id, 0) + 1
                )


def within(
    *waiting: Waiting, most: Most, counted: dict[str, int] | None = None, room: int = 10
) -> list[int]:
    counted = counted or {}
    found = choose(waiting, places(room), Turns(running=counted, counted=counted, most=most))
    return [each.id for each, _ in found]


def test_nobody_has_more_under_way_than_he_may() -> None:
    ada = [item(number, "ada", priority=9, queued_s=number) for number in range(4)]
    ben = [item(number, "ben", queued_s=number) for number in range(4, 8)]
    most = Most(default=3, own={"ada": 2})
    assert sorted(within(*ada, *ben, most=most)) == [0, 1, 4, 5, 6]
    assert sorted(within(*ada, *ben, most=most, counted={"ada": 1, "ben": 3})) == [0]
    assert within(*ada, most=Most(own={"ada": 0})) == []
    assert len(within(*ada, *ben, most=Most(own={"ada": 1}))) == 5


def test_a_quota_does_not_hold_back_what_is_short() -> None:
    waiting = [item(1, rank=0), item(2, rank=0), item(3), item(4)]
    assert within(*waiting, most=Most(default=1)) == [1, 2, 3]
    assert within(*waiting, most=Most(default=0)) == [1, 2]


def test_what_is_left_by_a_quota_goes_to_others() -> None:
    waiting = [item(1, "ada"), item(2, "ada"), item(3, "ben"), item(4, "ben")]
    most = Most(own={"ada": 1})
    assert sorted(within(*waiting, most=most, room=3)) == [1, 3, 4]
