"""Which node does a work item: a table of cases, and laws that hold for any farm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.placing import ANY, DEFAULT, Need, Places, engine_id, takes_work
from tests.farm import ENGINE, PaintedNode

NIGHT = frozenset({"night"})
BOTH = frozenset({"night", DEFAULT})
OTHER = "another engine"
FARM = (
    PaintedNode(id="a", slots=2),
    PaintedNode(id="b", slots=4),
    PaintedNode(id="n", slots=2, pools=NIGHT),
    PaintedNode(id="o", slots=1, pools=BOTH, engine=OTHER),
)
ENGINE_ID, OTHER_ID = engine_id(ENGINE), engine_id(OTHER)
IN_DEFAULT = Need(pool=DEFAULT, engine=ENGINE_ID)


@pytest.mark.parametrize(
    ("node", "takes"),
    [
        (PaintedNode(), True),
        (PaintedNode(slots=0), False),
        (PaintedNode(alive=False), False),
        (PaintedNode(kept_out="It runs another version."), False),
        (PaintedNode(is_leaving=True), False),
    ],
)
def test_a_node_takes_work_or_does_not(node: PaintedNode, takes: bool) -> None:
    assert takes_work(node) is takes
    assert takes_work(node, {"another"}) is takes
    assert not takes_work(node, {node.id})
    assert (Places([node]).place(Need()) is not None) is takes
    assert (Places([node]).beside({}) is not None) is takes
    assert Places([node]).slots == (node.slots if takes else 0)


@pytest.mark.parametrize(
    ("need", "busy", "avoid", "margin", "placed"),
    [
        pytest.param(IN_DEFAULT, {}, (), 0, "b", id="where most is free"),
        pytest.param(IN_DEFAULT, {"b": 3}, (), 0, "a", id="not where most slots are"),
        pytest.param(IN_DEFAULT, {"b": 2}, (), 0, "b", id="the later of two alike"),
        pytest.param(IN_DEFAULT, {"a": 2, "b": 4}, (), 0, None, id="all slots are taken"),
        pytest.param(IN_DEFAULT, {"a": 2, "b": 5}, (), 1, "a", id="one waits beside its slot"),
        pytest.param(IN_DEFAULT, {"a": 3, "b": 5}, (), 1, None, id="and no more than that"),
        pytest.param(IN_DEFAULT, {}, ("b",), 0, "a", id="elsewhere than it failed"),
        pytest.param(IN_DEFAULT, {"a": 2}, ("b",), 0, None, id="even if that is busy"),
        pytest.param(IN_DEFAULT, {}, ("a", "b"), 0, "b", id="unless there is nothing else"),
        pytest.param(IN_DEFAULT, {}, ("a", "b", "z"), 0, "b", id="whatever is gone"),
        pytest.param(Need(pool="night"), {}, (), 0, "n", id="in the pool that is asked for"),
        pytest.param(Need(pool="night"), {"n": 2}, (), 0, "o", id="a node serves several"),
        pytest.param(Need(pool="night", engine=ENGINE_ID), {"n": 2}, (), 0, None, id="engines"),
        pytest.param(Need(pool="night", engine=OTHER_ID), {}, ("o",), 0, "o", id="no other has it"),
        pytest.param(Need(pool="day"), {}, (), 2, None, id="a pool that nobody serves"),
        pytest.param(Need(engine=engine_id("older")), {}, (), 2, None, id="an engine of before"),
        pytest.param(Need(pool=ANY), {"a": 2, "b": 4, "n": 1}, (), 0, "o", id="any pool will do"),
    ],
)
def test_an_item_is_put_on_a_node(
    need: Need, busy: Mapping[str, int], avoid: Collection[str], margin: int, placed: str | None
) -> None:
    assert Places(FARM, busy=busy, margin=margin).place(need, avoid) == placed


def test_faster_nodes_are_filled_first() -> None:
    farm = [PaintedNode(id=name, slots=2) for name in ("slow", "usual", "alike", "fast")]
    slowness = {"slow": 2.0, "alike": 1.1, "fast": 0.5}
    places = Places(farm, margin=1, slowness=slowness)
    placed = [places.place(IN_DEFAULT) for _ in range(13)]
    assert placed[:2] == ["fast", "fast"]
    # What differs by little is chance: these share the load.
    assert placed[2:6] == ["usual", "alike", "usual", "alike"]
    assert placed[6:8] == ["slow", "slow"]
    # Whoever waits does so where it will be his turn first.
    assert placed[8:] == ["fast", "usual", "alike", "slow", None]


def test_how_fast_a_node_draws_says_nothing_of_other_work() -> None:
    farm = [PaintedNode(id="slow", slots=3), PaintedNode(id="fast", slots=2)]
    places = Places(farm, slowness={"slow": 2.0, "fast": 0.5})
    assert places.find(IN_DEFAULT) == "fast"
    assert places.slowness("slow", IN_DEFAULT) == 2.0
    assert places.find(Need(pool=DEFAULT)) == "slow"
    assert places.slowness("slow", Need(pool=DEFAULT)) == 1.0


def test_something_waits_where_a_node_has_more_than_its_slots() -> None:
    places = Places(FARM, busy={"a": 2, "b": 4, "n": 3}, margin=1)
    assert places.has_waiting(Need(pool="night"))
    assert not places.has_waiting(IN_DEFAULT)
    assert places.place(IN_DEFAULT) is not None
    assert places.has_waiting(IN_DEFAULT)


def test_slots_are_counted_by_pool_and_by_engine() -> None:
    places = Places(FARM)
    assert places.slots == 9
    assert places.pools == {DEFAULT: 7, "night": 3}
    assert places.engines == {DEFAULT: {ENGINE: 6, OTHER: 1}, "night": {ENGINE: 2, OTHER: 1}}
    assert places.engine_of(DEFAULT) == ENGINE
    assert places.engine_of("day") is None
    assert Places(FARM, closed={"n"}).engine_of("night") == OTHER
    assert places.engines_with_room("night") == sorted([ENGINE_ID, OTHER_ID])
    assert Places(FARM, busy={"n": 2}).engines_with_room("night") == [OTHER_ID]
    assert places.find(Need(pool="night", engine=OTHER_ID)) == "o"
    assert places.is_free("o")
    assert not Places(FARM, busy={"o": 1}, margin=1).is_free("o")


def test_previews_go_where_the_fewest_are() -> None:
    places = Places(FARM, busy={"a": 2, "b": 4, "n": 2, "o": 1})
    assert places.beside({"a": 1, "b": 1, "o": 1}) == "n"
    assert places.beside({"a": 1, "b": 1, "n": 1, "o": 1}, avoid={"a", "b", "n"}) == "o"
    assert places.beside({}, avoid={"a", "b", "n", "o"}) is not None
    assert Places(FARM).beside({}) == "b", "between equals, where most is free"
    assert Places([]).beside({}) is None


nodes = st.builds(
    PaintedNode,
    slots=st.integers(0, 4),
    pools=st.sampled_from([frozenset({DEFAULT}), NIGHT, BOTH]),
    engine=st.sampled_from([ENGINE, OTHER]),
    kept_out=st.sampled_from([None, None, None, "It runs another version."]),
    is_leaving=st.sampled_from([False, False, False, True]),
)
farms = st.lists(nodes, max_size=6).map(
    lambda found: [
        PaintedNode(
            id=str(place),
            slots=node.slots,
            pools=node.pools,
            engine=node.engine,
            kept_out=node.kept_out,
            is_leaving=node.is_leaving,
        )
        for place, node in enumerate(found)
    ]
)
needs = st.builds(
    Need,
    pool=st.sampled_from([ANY, DEFAULT, "night", "day"]),
    engine=st.sampled_from([None, ENGINE_ID, OTHER_ID]),
)
some = st.sets(st.integers(0, 5).map(str), max_size=3)
loads = st.dictionaries(st.integers(0, 5).map(str), st.integers(0, 6), max_size=6)


@given(farms, loads, some, st.integers(0, 2), st.lists(st.tuples(needs, some), max_size=20))
def test_no_node_is_given_what_it_must_not_have(
    farm: list[PaintedNode],
    busy: dict[str, int],
    closed: set[str],
    margin: int,
    asked: list[tuple[Need, set[str]]],
) -> None:
    places = Places(farm, busy=busy, closed=closed, margin=margin)
    by_id = {node.id: node for node in farm}
    load = Counter(busy)
    for need, avoid in asked:
        room = {pool: places.room(pool) for pool in (ANY, DEFAULT, "night", "day")}
        placed = places.place(need, avoid)
        able = [
            node
            for node in farm
            if takes_work(node, closed)
            and (need.pool == ANY or need.pool in node.pools)
            and need.engine in (None, engine_id(node.engine or ""))
        ]
        wanted = [node for node in able if node.id not in avoid] or able
        if placed is None:
            assert all(load[node.id] >= node.slots + margin for node in wanted)
            assert {pool: places.room(pool) for pool in room} == room
            continue
        node = by_id[placed]
        assert node in wanted
        # No other has more free, so nobody waits while a slot that could do it is free.
        assert node.slots - load[placed] == max(each.slots - load[each.id] for each in wanted)
        load[placed] += 1
        assert load[placed] <= node.slots + margin
        assert places.room(ANY) == room[ANY] - 1
        assert all(places.room(pool) == room[pool] - 1 for pool in node.pools)


@given(farms, loads, some)
def test_room_is_what_can_be_placed(
    farm: list[PaintedNode], busy: dict[str, int], closed: set[str]
) -> None:
    for pool in (ANY, DEFAULT, "night"):
        places = Places(farm, busy=busy, closed=closed)
        room = places.room(pool)
        assert (places.find(Need(pool=pool)) is not None) is (room > 0)
        assert bool(places.engines_with_room(pool)) is (room > 0)
        placed = 0
        while places.place(Need(pool=pool)) is not None:
            placed += 1
        assert placed == room


@given(farms, loads, st.permutations(range(6)))
def test_the_order_of_nodes_does_not_matter(
    farm: list[PaintedNode], busy: dict[str, int], order: list[int]
) -> None:
    shuffled = [farm[place] for place in order if place < len(farm)]
    one, other = Places(farm, busy=busy), Places(shuffled, busy=busy)
    for _ in range(5):
        assert one.place(Need()) == other.place(Need())
    assert one.beside(busy) == other.beside(busy)
    assert one.engine_of(DEFAULT) == other.engine_of(DEFAULT)


@given(
    slots=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    busy=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    margin=st.integers(0, 2),
    steps=st.lists(st.integers(-2, 2), min_size=6, max_size=6),
    avoided=st.lists(st.sets(st.integers(0, 6)), max_size=20),
)
def test_it_is_as_if_all_nodes_were_looked_at_each_time(
    slots: list[int], busy: list[int], margin: int, steps: list[int], avoided: list[set[int]]
) -> None:
    names = [f"node {number}" for number in range(len(slots))]
    there = [
        PaintedNode(id=name, slots=count) for name, count in zip(names, slots, strict=True) if count
    ]
    taken = Counter(dict(zip(names, busy, strict=False)))
    step = dict(zip(names, steps, strict=False))
    slowness = {name: 2.0**each for name, each in step.items()}
    places = Places(there, busy=dict(taken), margin=margin, slowness=slowness)

    def worth(node: PaintedNode) -> tuple[int, int, int, str]:
        free = node.slots - taken[node.id]
        return min(0, free - 1), -step[node.id], free, node.id

    for each in avoided:
        avoid = {f"node {number}" for number in each}
        able = [node for node in there if node.id not in avoid] or there
        best = max(able, key=worth, default=None)
        if best is not None and best.slots - taken[best.id] + margin <= 0:
            best = None
        assert places.place(IN_DEFAULT, avoid) == (best and best.id)
        if best is not None:
            taken[best.id] += 1
