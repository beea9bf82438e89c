"""How simulations are judged, and that chance is always the same."""

from __future__ import annotations

import itertools
import statistics

import pytest

from tests.simulation.chance import Chance
from tests.simulation.figures import (
    Export,
    Figures,
    Tried,
    common,
    duplicate_s,
    figures,
    jain,
    service,
    union,
)
from tests.simulation.nodes import lives


def tried(what: str, begun_s: float, ended_s: float, end: str = "done", user: str = "a") -> Tried:
    return Tried(what=what, user=user, begun_s=begun_s, ended_s=ended_s, speed=2.0, end=end)


def test_jain_is_1_where_all_are_alike_and_a_part_where_one_has_everything() -> None:
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1)
    assert jain([5.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain([1.0, 3.0]) == pytest.approx(0.8)


def test_service_is_the_time_of_slots_by_their_speed() -> None:
    attempts = [tried("x", 0, 10), tried("y", 5, 20, user="b"), tried("z", 12, 13)]
    assert service(attempts, ["a", "b", "c"], [(0, 10)]) == {"a": 20.0, "b": 10.0, "c": 0.0}
    assert service(attempts, ["a", "b"], [(2, 3), (9, 12.5)]) == {"a": 5.0, "b": 7.0}


def test_all_have_demand_while_something_of_each_waits() -> None:
    ada, ben = union([(0, 5), (3, 8), (10, 20), (20, 20)]), union([(4, 12), (15, 30)])
    assert ada == [(0, 8), (10, 20)]
    assert common([ada, ben]) == [(4, 8), (10, 12), (15, 20)]
    assert common([ada]) == ada
    assert common([ada, []]) == []


def test_what_was_overtaken_or_came_too_late_is_done_twice() -> None:
    attempts = [
        tried("x", 0, 50, "stopped"),
        tried("x", 30, 50),
        tried("y", 0, 10),
        tried("y", 5, 11),
        tried("z", 0, 7, "lost"),
        tried("z", 9, 12, "crashed"),
        tried("z", 12, 20),
    ]
    assert duplicate_s(attempts) == 50 + 6


def test_figures_of_a_small_farm() -> None:
    found = figures(
        [
            Export(user="a", begun_s=0, ended_s=60),
            Export(user="a", begun_s=20, ended_s=110),
            Export(user="b", begun_s=0, ended_s=100),
        ],
        [tried("x", 0, 60), tried("y", 20, 110), tried("z", 0, 80, user="b")],
        {"a": [(0, 20), (10, 30)], "b": [(10, 40)]},
        work_s=400,
        path_s=20,
        speed=4.0,
        fastest=2.0,
        slots=2,
    )
    assert (found.bound_s, found.path_bound_s, found.ratio) == (100, 10, pytest.approx(1.1))
    # From 10 s to 30 s: a has 30 s of slots, b has 20.
    assert (found.contended_s, found.fairness) == (20, pytest.approx(2500 / 2 / 1300))
    assert found.busy == pytest.approx(230 / 220)
    assert found.missed == []


def test_what_misses_its_target_is_told() -> None:
    found = Figures(
        makespan_s=112,
        work_bound_s=100,
        path_bound_s=10,
        fairness=0.94,
        contended_s=50,
        duplicates=0.021,
        lost=0,
        crashed=0,
        busy=0.9,
        begun_s={},
        ended_s={},
    )
    assert [line.split()[0] for line in found.missed] == ["The", "Fairness", "2.1%"]


def test_chance_is_always_the_same_and_as_it_is_said_to_be() -> None:
    chance = Chance(7)
    assert chance.part("a", 1) == Chance(7).part("a", 1) != Chance(8).part("a", 1)
    numbers = range(4000)
    assert statistics.mean(chance.part(n) for n in numbers) == pytest.approx(0.5, abs=0.02)
    assert statistics.mean(chance.after(9, n) for n in numbers) == pytest.approx(9, rel=0.05)
    assert statistics.mean(chance.spread(0.3, n) for n in numbers) == pytest.approx(1, rel=0.02)
    drawn = [chance.one_of("ab", [3, 1], n) for n in numbers]
    assert drawn.count("a") == pytest.approx(3000, rel=0.05)


def test_a_node_is_back_after_a_while_as_fast_as_before() -> None:
    first, second = itertools.islice(lives(Chance(7), 3, 4, 1 / 3600), 2)
    assert first.fails_s < first.back_s < second.fails_s
    assert (first.speed, first.id) == (second.speed, "node 0003.0")
    assert second.id == "node 0003.1"
