"""Watching the nodes: what Ray lists, and how long it may be silent."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from cluster import nodes
from cluster.nodes import NodeWatch
from shared.errors import ClusterLostError


def listed(name: str, *, alive: bool = True, **resources: float) -> dict[str, Any]:
    """A node as Ray lists it."""
    return {
        "NodeID": name * 56,
        "Alive": alive,
        "NodeManagerHostname": f"host-{name}",
        "NodeManagerAddress": "192.0.2.1",
        "Resources": resources,
    }


class Head:
    """Answers like ray.nodes until it is told not to."""

    def __init__(self, *found: dict[str, Any]) -> None:
        """Answer with these nodes."""
        self.found = list(found)
        self.asked = threading.Semaphore(0)
        self.failing = False

    def __call__(self) -> list[dict[str, Any]]:
        """See ray.nodes."""
        self.asked.release()
        if self.failing:
            raise ConnectionError("gone")
        return self.found

    def wait_until_asked(self, times: int) -> None:
        """Wait for a number of questions more."""
        for _ in range(times):
            assert self.asked.acquire(timeout=20)


def look_again_and_again(head: Head, watch: NodeWatch) -> None:
    """Look for as long as the head is not lost."""
    while True:
        head.wait_until_asked(1)
        watch.check()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_INTERVAL_S", 0.01)
    monkeypatch.setattr(nodes, "LOST_AFTER_S", 0.5)


def test_the_living_nodes_are_told() -> None:
    head = Head(listed("a", CPU=4, GPU=1), listed("b", alive=False), listed("c"))
    with NodeWatch(head) as watch:
        first, second = watch.nodes()
        assert (first.id, first.name, first.cpus, first.gpus) == ("a" * 56, "host-a", 4, 1)
        assert (second.id, second.cpus, second.gpus) == ("c" * 56, 0, 0)
        head.found = [listed("d", CPU=2)]
        head.wait_until_asked(4)
        assert [node.id for node in watch.nodes()] == ["d" * 56]
    watch.close()


def test_a_head_that_is_silent_for_long_is_lost_for_good() -> None:
    head = Head(listed("a", CPU=1))
    with NodeWatch(head) as watch:
        assert watch.nodes()
        head.failing = True
        with pytest.raises(ClusterLostError):
            look_again_and_again(head, watch)
        head.failing = False
        head.wait_until_asked(3)
        with pytest.raises(ClusterLostError, match="fresh process"):
            watch.nodes()


def test_who_has_lost_his_own_node_has_lost_the_cluster() -> None:
    head = Head(listed("a", CPU=1), listed("b", CPU=1))
    with NodeWatch(head, home="a" * 56) as watch:
        assert len(watch.nodes()) == 2
        head.found = [listed("b", CPU=1), listed("c", CPU=1)]
        head.wait_until_asked(3)
        with pytest.raises(ClusterLostError, match="died on this machine"):
            watch.nodes()


def test_a_node_whose_work_has_told_of_its_end_is_left_out() -> None:
    head = Head(listed("a", CPU=1), listed("b", CPU=1))
    with NodeWatch(head) as watch:
        assert len(watch.nodes()) == 2
        watch.note_gone("a" * 56)
        assert [node.id for node in watch.nodes()] == ["b" * 56]
