"""How the dispatcher receives nodes: whom it asks, when again, and what it tells them."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.guests import Guests
from cluster.introduction import Introduction, Question, Standing
from cluster.joining import check_store, ourselves
from cluster.nodes import Node

HOME = "d" * 56
NODE = Node(id="a" * 56, name="host", cpus=4, gpus=0)


@dataclass
class Call:
    """A task that was submitted; it has ended once there is an answer."""

    task: str
    node: str
    arguments: tuple[Any, ...]
    answer: Any = None


@dataclass
class PaperRay:
    """Notes tasks instead of running them; is Ray and its tasks at once."""

    calls: list[Call] = field(default_factory=list)
    exceptions: Any = field(default_factory=lambda: importlib.import_module("ray.exceptions"))

    def task(self, name: str) -> Any:
        """A remote function."""
        return SimpleNamespace(options=lambda **options: self._placed(name, **options))

    def _placed(self, name: str, scheduling_strategy: Any) -> Any:
        def remote(*arguments: Any) -> Call:
            self.calls.append(Call(name, scheduling_strategy.node_id, arguments))
            return self.calls[-1]

        return SimpleNamespace(remote=remote)

    def wait(self, calls: list[Call], timeout: float) -> tuple[list[Call], list[Call]]:
        """Those that have ended, and the others."""
        assert timeout == 0
        done = [call for call in calls if call.answer is not None]
        return done, [call for call in calls if call not in done]

    def get(self, call: Call) -> Any:
        """The answer, or the error that it is."""
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer

    def of(self, task: str) -> list[Call]:
        """The calls of a remote function."""
        return [call for call in self.calls if call.task == task]


@dataclass
class Door:
    """Guests who are greeted on paper, by a clock that is moved by hand."""

    ray: PaperRay
    guests: Guests
    wait: Callable[[float], None]

    def greet(self, *nodes: Node) -> list[Node]:
        """Greet nodes; what is known of them then."""
        self.guests.greet(nodes)
        return [self.guests.known(node) for node in nodes]

    def answer(self, answer: Introduction | Exception, node: Node = NODE) -> Node:
        """Have the last question answered; what is known of the node then."""
        self.ray.of("introduce")[-1].answer = answer
        [known] = self.greet(node)
        return known


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    now_s = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    paper = PaperRay()
    tasks = SimpleNamespace(
        **{name: paper.task(name) for name in ("introduce", "warm_up", "hear_standing")}
    )

    def wait(seconds: float) -> None:
        now_s[0] += seconds

    return Door(paper, Guests(paper, tasks, str(tmp_path / "store"), HOME), wait)


def said(**facts: Any) -> Introduction:
    """What a node says that may have work."""
    return replace(ourselves(), **{"engine": "an engine", "renderer": "llvmpipe"} | facts)


def test_a_node_has_no_slots_before_it_has_introduced_itself(door: Door) -> None:
    assert [node.slots for node in door.greet(NODE)] == [0]
    assert [node.slots for node in door.greet(NODE)] == [0]
    assert len(door.ray.of("introduce")) == 1
    # The others warm up beside the one that answers.
    assert len(door.ray.of("warm_up")) == 3
    node = door.answer(said(pools=frozenset({"night"})))
    assert (node.slots, node.pools, node.kept_out) == (4, {"night"}, None)
    assert (node.engine, node.renderer) == ("an engine", "llvmpipe")
    door.wait(3600)
    door.greet(NODE)
    assert len(door.ray.of("introduce")) == 1
    assert not door.ray.of("hear_standing"), "nobody waits for it"


def test_a_node_without_processors_is_asked_nothing(door: Door) -> None:
    head = replace(NODE, cpus=0)
    assert door.greet(head) == [head]
    assert not door.ray.calls


def test_a_node_with_gpus_has_the_slots_that_share_them(door: Door) -> None:
    gpus = replace(NODE, gpus=2)
    door.greet(gpus)
    [question] = door.ray.of("introduce")[0].arguments
    assert question.gpus == 2
    node = door.answer(said(gpu_slots=4, renderer="GeForce"), gpus)
    assert node.slots == 8
    assert door.guests.slots_of(NODE.id).gpu_share == 0.25


def test_another_version_is_kept_out_and_told_so(door: Door) -> None:
    door.greet(NODE)
    node = door.answer(said(libav="libavcodec 1", has_folder=True))
    assert node.slots == 0
    assert node.kept_out is not None
    assert "Its libav is libavcodec 1" in node.kept_out
    [told] = door.ray.of("hear_standing")
    assert told.node == NODE.id
    assert told.arguments == (
        Standing(
            state="kept_out", reason=node.kept_out, pools=("default",), renderer=node.renderer
        ),
    )
    door.wait(3600)
    door.greet(NODE)
    assert len(door.ray.of("introduce")) == 1, "it has to start again"


def test_the_node_at_home_has_what_we_have(door: Door) -> None:
    home = replace(NODE, id=HOME)
    door.greet(home)
    assert door.answer(said(libav="libavcodec 1"), home).kept_out is None
    in_trouble = replace(NODE, id=HOME, cpus=1)
    door.greet()
    door.greet(in_trouble)
    assert door.answer(said(trouble="No OpenGL."), in_trouble).kept_out == "No OpenGL."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(trouble="The bucket is locked.", has_folder=True), "The bucket is locked."),
        (None, "It could not say what it is: A worker process died"),
    ],
)
def test_a_node_in_trouble_is_asked_again(
    door: Door, answer: Introduction | None, reason: str
) -> None:
    door.greet(NODE)
    node = door.answer(answer or door.ray.exceptions.WorkerCrashedError())
    assert node.kept_out is not None
    assert node.kept_out.startswith(reason)
    door.wait(29)
    assert [node.kept_out for node in door.greet(NODE)] == [node.kept_out]
    assert len(door.ray.of("introduce")) == 1
    door.wait(2)
    door.greet(NODE)
    assert len(door.ray.of("introduce")) == 2
    node = door.answer(said(has_folder=True))
    assert (node.slots, node.kept_out) == (4, None)
    states = [call.arguments[0].state for call in door.ray.of("hear_standing")]
    assert states == ["kept_out", "joined"]
    assert len(door.ray.of("warm_up")) == 3


def test_a_node_that_does_not_answer_is_asked_again(door: Door) -> None:
    door.greet(NODE)
    door.wait(61)
    [node] = door.greet(NODE)
    assert node.kept_out == "It has not said what it is within 60 s."
    door.wait(31)
    door.greet(NODE)
    assert len(door.ray.of("introduce")) == 2
    assert door.answer(said()).slots == 4


def test_a_node_that_comes_back_is_another_one(door: Door) -> None:
    door.greet(NODE)
    door.answer(said())
    door.greet()
    [node] = door.greet(NODE)
    assert node.slots == 0
    assert len(door.ray.of("introduce")) == 2


def test_the_folder_is_marked_once_and_again_when_the_mark_is_gone(
    door: Door, tmp_path: Path
) -> None:
    other = replace(NODE, id="b" * 56)
    door.greet(NODE, other)
    [first, second] = [call.arguments[0] for call in door.ray.of("introduce")]
    assert isinstance(first, Question)
    assert first.store_mark
    assert second == first
    check_store(first)
    [mark] = (tmp_path / "store" / "farm=").iterdir()
    mark.unlink()
    door.greet(NODE, other, replace(NODE, id="c" * 56))
    check_store(door.ray.of("introduce")[-1].arguments[0])
