"""By which engine the command line plans: that of the first nodes that take work."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from coordinator.ports import Node
from coordinator.run_exports import find_engine
from shared.errors import ClusterError
from tests.farm import PaintedNode, PaintedWorkers

SILENT = PaintedNode(id="silent", slots=0, engine=None)
OLD = PaintedNode(id="old", slots=0, kept_out="It runs another version: install the same.")
HEAD = PaintedNode(id="head", slots=0, cpus=0, engine=None)


class ArrivingNodes(PaintedWorkers):
    """A cluster whose nodes introduce themselves one after the other."""

    def __init__(self, *times: Sequence[PaintedNode]) -> None:
        """Have these nodes each time that somebody asks, and the last ones for good."""
        self._times = list(times)

    def nodes(self) -> Sequence[Node]:  # type: ignore[override]  # any nodes will do
        """See Executor."""
        return self._times.pop(0) if len(self._times) > 1 else self._times[0]


def test_a_node_that_is_kept_out_does_not_speak_for_those_that_are_still_silent() -> None:
    ready = PaintedNode(engine="draws")
    assert find_engine(ArrivingNodes([], [SILENT, HEAD], [OLD, SILENT], [OLD, ready])) == "draws"


def test_the_engine_of_most_slots_is_taken() -> None:
    one, most = PaintedNode(engine="a", slots=2), PaintedNode(engine="b", slots=3)
    leaving = PaintedNode(engine="c", slots=9, is_leaving=True)
    assert find_engine(ArrivingNodes([one, most, leaving])) == "b"


def test_where_all_are_kept_out_the_reason_is_told() -> None:
    with pytest.raises(ClusterError, match="It runs another version: install the same"):
        find_engine(ArrivingNodes([SILENT, HEAD], [OLD, HEAD]))
