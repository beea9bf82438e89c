"""The dispatcher's pure decisions: suspects, pace, back-off, progress."""

from __future__ import annotations

import itertools

import pytest

from coordinator.database.progress import ExportProgress
from coordinator.dispatcher.pace import WINDOW_S, Pace
from coordinator.dispatcher.suspects import LOST_REST_S, NODE_REST_S, Suspects
from coordinator.dispatcher.telling import MOST_TOLD, whose_turn
from coordinator.progress import PLANNED, RENDERED, progress_of
from shared.attempts import back_off_s


def test_a_worker_that_fails_different_exports_in_a_row_is_replaced() -> None:
    suspects = Suspects()
    exports = ["one", "two", "one"]
    assert [suspects.failed("w", "n", export, 0) for export in exports] == [False, False, True]


def test_a_poisonous_export_is_not_the_workers_fault() -> None:
    suspects = Suspects()
    assert not any(suspects.failed("w", "n", "one", 0) for _ in range(20))
    assert suspects.resting_nodes(0) == {}


def test_a_success_clears_a_worker() -> None:
    suspects = Suspects()
    for export in ("one", "two"):
        assert not suspects.failed("w", "n", export, 0)
    suspects.succeeded("w", "n")
    assert not suspects.failed("w", "n", "three", 0)


def test_a_bad_node_rests_for_a_while() -> None:
    suspects = Suspects()
    for number in range(6):
        suspects.failed(f"w{number}", "n", f"export {number}", 100.0)
    assert suspects.resting_nodes(100.0) == {"n": NODE_REST_S}
    assert suspects.resting_nodes(101.0) == {"n": NODE_REST_S - 1}
    assert suspects.resting_nodes(100.0 + NODE_REST_S) == {}


def test_a_node_that_lost_an_attempt_rests_until_it_is_known_whether_it_is_there() -> None:
    suspects = Suspects()
    suspects.lost("n", 100.0)
    assert suspects.resting_nodes(101.0) == {"n": LOST_REST_S - 1}
    suspects.succeeded("n:1", "n")
    assert suspects.resting_nodes(101.0) == {}
    suspects.lost("n", 100.0)
    assert suspects.resting_nodes(100.0 + LOST_REST_S) == {}


def test_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert (pace.fps, pace.eta_s(10)) == (None, None)
    for second in range(31):
        pace.note(float(second), second * 10 if second < 15 else 150 + (second - 15) * 40)
    assert pace.fps == pytest.approx(40, rel=0.01)
    assert pace.eta_s(400) == pytest.approx(10, rel=0.01)
    assert WINDOW_S < 15


def test_pace_of_something_that_stands_still() -> None:
    pace = Pace()
    pace.note(0, 5)
    pace.note(1, 5)
    assert (pace.fps, pace.eta_s(10)) == (0, None)


def test_pace_begins_anew_when_something_is_rendered_again() -> None:
    pace = Pace()
    pace.note(0, 0)
    pace.note(1, 100)
    pace.note(2, 10)
    assert (pace.fps, pace.eta_s(10)) == (None, None)
    pace.note(4, 50)
    assert (pace.fps, pace.eta_s(100)) == (20, 5)


def test_back_off_grows_and_ends() -> None:
    waits = [back_off_s(suspect=0, transient=count) for count in range(1, 21)]
    assert waits[:4] == [0.5, 1, 2, 4]
    assert all(a <= b for a, b in itertools.pairwise(waits))
    # Twenty hindrances take minutes: longer than a server needs to be started again.
    assert 300 < sum(waits) < 900


def test_progress_covers_the_frames() -> None:
    assert (progress_of(0, 10), progress_of(10, 10)) == (PLANNED, pytest.approx(RENDERED))
    assert progress_of(11, 10) == pytest.approx(RENDERED)


def test_where_many_exports_are_under_way_they_are_told_of_in_turns() -> None:
    told = [
        ExportProgress(export_id=f"exp_{number}", frames=1, progress=0.5, fps=None, eta_s=None)
        for number in range(MOST_TOLD + 50)
    ]
    told_s: dict[str, float] = {}
    first = whose_turn(told, told_s)
    told_s |= {each.export_id: 1.0 for each in first}
    second = whose_turn(told, told_s)
    assert len(first) == len(second) == MOST_TOLD
    assert [each.export_id for each in second][:50] == [each.export_id for each in told[-50:]]
    assert whose_turn(told[:3], told_s) == told[:3]
