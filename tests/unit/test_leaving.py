"""The board's part in leaving: which nodes want to leave, and when they are at nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A board whose clock moves by ``wait``."""
    from cluster.progress import ProgressBoard  # imports Ray

    # The class behind the actor.
    metadata: Any = ProgressBoard.__ray_metadata__  # type: ignore[attr-defined]
    now_s = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    board = metadata.modified_class()

    def wait(seconds: float) -> None:
        now_s[0] += seconds

    board.wait = wait
    return board


def begin(board: Any, attempt: str, node: str) -> None:
    from cluster.progress import Note

    board.report(Note(attempt=attempt, node=node, worker=f"{node}:1", running_s=0, frames=0))


def test_a_node_is_at_nothing_once_the_dispatcher_has_known_for_a_turn(board: Any) -> None:
    assert board.leave("a") is None
    # What was given in this turn was given before the dispatcher knew.
    assert board.leaving({"a": 2, "b": 1}) == {"a"}
    assert board.leave("a") is None
    assert board.leaving({"a": 3, "b": 1}) == {"a"}
    assert board.at_work("a") == 3
    board.leaving({"b": 1})
    assert board.leave("a") == 0
    assert board.at_work("b") is None, "it may be given more"


def test_a_wish_is_taken_back(board: Any) -> None:
    board.leave("a")
    board.leaving({})
    board.stay("a")
    board.stay("a")
    assert board.leaving({}) == set()
    assert board.at_work("a") is None
    assert board.leave("a") is None


def test_a_wish_is_forgotten_unless_it_is_repeated(board: Any) -> None:
    board.leave("a")
    board.leave("b")
    for _ in range(5):
        board.wait(9)
        board.leave("b")
        found = board.leaving({})
    assert found == {"b"}


def test_a_dispatcher_that_stands_by_keeps_nobody_waiting(board: Any) -> None:
    assert board.leave("a") is None, "it may be about to ask"
    board.wait(11)
    assert board.leave("a") == 0
    begin(board, "a1", "a")
    assert board.leave("a") == 1
    # It has begun to lead.
    assert board.leaving({"a": 2}) == {"a"}
    assert board.leave("a") is None


def test_a_board_that_starts_again_says_nothing_before_it_is_told(board: Any) -> None:
    board.leave("a")
    board.leaving({"a": 1})
    board.leaving({"a": 1})
    again = type(board)()
    assert again.leave("a") is None
    assert again.leaving({"a": 1}) == {"a"}
    again.leaving({"a": 1})
    assert again.leave("a") == 1
