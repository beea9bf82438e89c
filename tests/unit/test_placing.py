"""Which node does a work item: the rules, and a law."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from coordinator.placing import Need, Places, engine_id
from tests.farm import ENGINE, PaintedNode

ANYTHING = Need()


def nodes(*names: str, slots: int = 2) -> list[PaintedNode]:
    return [PaintedNode(id=name, slots=slots) for name in names]


def test_work_goes_where_most_is_free() -> None:
    places = Places(nodes("a", "b", "c"), busy={"a": 2, "b": 1})
    assert [places.place(ANYTHING) for _ in range(4)] == ["c", "c", "b", None]


def test_a_margin_is_used_when_all_slots_are_taken() -> None:
    places = Places(nodes("a", "b", slots=1), margin=1)
    assert [places.place(ANYTHING) for _ in range(5)] == ["b", "a", "b", "a", None]


def test_what_is_to_be_avoided_is_avoided_as_long_as_there_are_others_be_they_busy() -> None:
    places = Places(nodes("a", "b"), busy={"a": 1})
    assert places.place(ANYTHING, {"b"}) == "a"
    assert places.place(ANYTHING, {"b"}) is None
    assert places.place(ANYTHING, {"a", "b", "gone"}) == "b"
    assert places.place(ANYTHING) == "b"


def test_only_nodes_of_the_pool_and_the_engine_can_do_it() -> None:
    places = Places(
        [
            PaintedNode(id="a", pools=frozenset({"gpu"}), engine="other"),
            PaintedNode(id="b", pools=frozenset({"gpu", "default"})),
            PaintedNode(id="c", slots=9),
        ]
    )
    gpu = Need(pool="gpu", engine=engine_id(ENGINE))
    assert [places.place(gpu) for _ in range(3)] == ["b", "b", None]
    assert places.place(Need(pool="gpu")) == "a"
    assert places.place(Need(pool="none")) is None


@given(
    slots=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    busy=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    margin=st.integers(0, 2),
    avoided=st.lists(st.sets(st.integers(0, 6)), max_size=20),
)
def test_it_is_as_if_all_nodes_were_looked_at_each_time(
    slots: list[int], busy: list[int], margin: int, avoided: list[set[int]]
) -> None:
    names = [f"node {number}" for number in range(len(slots))]
    there = [
        PaintedNode(id=name, slots=count) for name, count in zip(names, slots, strict=True) if count
    ]
    taken = Counter(dict(zip(names, busy, strict=False)))
    places = Places(there, busy=dict(taken), margin=margin)
    for each in avoided:
        avoid = {f"node {number}" for number in each}
        able = [node for node in there if node.id not in avoid] or there
        best = max(able, key=lambda node: (node.slots - taken[node.id], node.id), default=None)
        if best is not None and best.slots - taken[best.id] + margin <= 0:
            best = None
        assert places.place(ANYTHING, avoid) == (best and best.id)
        if best is not None:
            taken[best.id] += 1
