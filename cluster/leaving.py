"""Leaving: a node asks for nothing more, and waits until it has ended what it has begun.

It tells the board of every dispatcher, since one that stands by may lead at any moment. Boards and
dispatchers may start again and forget: the node repeats its wish for as long as it waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from shared.errors import ClusterError

_REPEAT_S: Final = 1.0
_ANSWER_S: Final = 5.0
_ASK_S: Final = 0.5


def leave(node_id: str, within_s: float, tell: Callable[[str], None]) -> bool:
    """Ask the dispatchers to give a node nothing more, and wait until it is at nothing.

    Call it in a process that is connected to the cluster (cluster.session.ray_session), on
    whatever machine. The wish lasts for half a minute beyond this call: time enough to end the
    node.

    Args:
        node_id: Ray's id of the node.
        within_s: How long to wait at most.
        tell: Given a line for people whenever there is something new to say.

    Returns:
        Whether the node is at nothing; False when the time was up before.

    Raises:
        ClusterError: The cluster does not answer.
    """
    until_s = time.monotonic() + within_s
    said = ""
    while True:
        left = _left([board.leave.remote(node_id) for board in _boards()])
        line = _line(left)
        if line != said:
            tell(line)
            said = line
        left_s = until_s - time.monotonic()
        if left == 0 or left_s <= 0:
            return left == 0
        time.sleep(min(_REPEAT_S, left_s))


def stay(node_id: str) -> None:
    """Take the wish to leave back; a second time does no harm.

    Raises:
        ClusterError: The cluster does not answer.
    """
    _left([board.stay.remote(node_id) for board in _boards()])


def _line(left: int | None) -> str:
    if left is None:
        return "The node waits for the dispatcher to hear that it leaves."
    if left:
        items = "1 work item" if left == 1 else f"{left} work items"
        return f"The node gets nothing more, and has {items} to finish."
    return "The node has nothing left to do."


def _boards() -> list[Any]:
    """The boards of all dispatchers.

    Raises:
        ClusterError: The cluster does not answer.
    """
    import ray
    from ray.util import list_named_actors

    from cluster.progress import BOARD_PREFIX, NAMESPACE

    found = []
    try:
        for each in list_named_actors(all_namespaces=True):
            if each["namespace"] == NAMESPACE and each["name"].startswith(BOARD_PREFIX):
                try:
                    found.append(ray.get_actor(each["name"], namespace=NAMESPACE))
                except ValueError:
                    continue  # gone with its dispatcher
    except ray.exceptions.RayError as exc:
        raise ClusterError(f"The cluster does not answer: {exc}") from exc
    return found


def _left(answers: list[Any]) -> int | None:
    """What the boards answer, added up; None where one does not know yet."""
    import ray

    total: int | None = 0
    for answer in answers:
        try:
            left = ray.get(answer, timeout=_ANSWER_S)
        except ray.exceptions.ActorDiedError:
            continue  # gone with its dispatcher, and all that this had under way
        except ray.exceptions.RayError:
            left = None  # it starts again, or is very busy
        total = None if total is None or left is None else total + left
    return total


class Wishes:
    """A dispatcher's side: hears from its board which nodes want to leave; for one thread."""

    def __init__(self, ray: Any, board: Any) -> None:
        """Ask a board, by its handle."""
        self._ray = ray
        self._board = board
        self._answer: Any = None
        self._asked_s = 0.0
        self._leaving: frozenset[str] = frozenset()

    def heard(self, given: Mapping[str, int]) -> frozenset[str]:
        """Ids of the nodes that want to leave, as of a second ago; returns at once.

        Args:
            given: How many attempts each node has, which have not ended.
        """
        if self._answer is not None:
            done, _ = self._ray.wait([self._answer], timeout=0)
            if not done:
                return self._leaving
            # A board that starts again has forgotten, and is told again.
            with suppress(self._ray.exceptions.RayError):
                self._leaving = self._ray.get(self._answer)
            self._answer = None
        # Not in the turn in which something was heard: what was given before it does not know yet.
        elif time.monotonic() - self._asked_s > _ASK_S:
            self._asked_s = time.monotonic()
            self._answer = self._board.leaving.remote(dict(given))
        return self._leaving
