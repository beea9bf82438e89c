"""What is usual on a farm, and which attempts are worth a second one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coordinator.dispatcher.choosing import Waiting
from coordinator.dispatcher.durations import Durations
from coordinator.dispatcher.running import Running, size_of
from coordinator.dispatcher.stragglers import Ran, is_late
from shared.plan import make_plan
from tests.bench.measure import bench_picture


def ran(seconds: float, done: int, *, still_s: float = 0.0, first_s: float = 2.0) -> Ran:
    """An attempt at 100 frames that usually takes 10 s, with its first frame after 2 s."""
    return Ran(
        still_s=still_s if done else seconds,
        usual_s=10.0,
        frames=max(0, done - 1),
        frames_s=seconds - still_s - first_s if done else 0.0,
        frames_left=100 - done,
    )


@pytest.mark.parametrize(
    ("seen", "free", "busy"),
    [
        pytest.param(ran(12, 51), False, False, id="a little slow"),
        pytest.param(ran(17, 51), False, False, id="a second one would end little sooner"),
        pytest.param(ran(18, 51), True, False, id="a second one would end sooner"),
        pytest.param(ran(28, 51), True, True, id="and is worth a slot that others wait for"),
        pytest.param(ran(12, 11), True, True, id="hardly any frames"),
        pytest.param(ran(4, 2), False, False, id="two frames tell no pace"),
        pytest.param(ran(60, 51, first_s=52), False, False, id="it has begun late, that is all"),
        pytest.param(ran(31, 97), False, False, id="old, and nearly done"),
        pytest.param(ran(29, 0), False, False, id="no frames, which may be yet to come"),
        pytest.param(ran(31, 0), True, True, id="no frames for three times as long as is usual"),
        pytest.param(ran(39, 97, still_s=29), False, False, id="no frame for a while"),
        pytest.param(ran(41, 97, still_s=31), True, True, id="it stands still"),
        pytest.param(ran(39, 100, still_s=29), False, False, id="all frames, and not done yet"),
        pytest.param(ran(41, 100, still_s=31), True, True, id="all frames, and stuck"),
    ],
)
def test_an_attempt_is_late_by_what_is_left_of_it(seen: Ran, *, free: bool, busy: bool) -> None:
    assert is_late(seen, again_s=10.0, is_free=True) is free
    assert is_late(seen, again_s=10.0, is_free=False) is busy


def test_a_slow_node_is_no_place_for_a_second_attempt() -> None:
    seen = ran(18, 51)
    assert is_late(seen, again_s=10.0 * 0.5, is_free=False)
    assert not is_late(seen, again_s=10.0 * 2.0, is_free=True)


def test_the_pace_is_that_of_the_frames_after_the_first() -> None:
    chunk = Waiting(
        id=1,
        kind="chunk",
        user_id="ada",
        export_id="exp_1",
        asset_id=None,
        rank=1,
        priority=0,
        queued_at=datetime(2026, 1, 1, tzinfo=UTC),
        position=0,
        chunk_index=0,
        content_key=None,
        found_key=None,
    )
    running = Running(1, chunk, submitted_s=0.0, node="a")
    for now_s, frames in ((5.0, 0), (8.0, 10), (9.0, 10), (10.0, 30), (11.0, 20), (12.0, 30)):
        running.note_frames(frames, now_s)
    assert (running.first_frames, running.first_s) == (10, 8.0)
    assert (running.frames, running.moved_s) == (30, 10.0)


def test_a_few_chunks_say_what_is_usual() -> None:
    durations = Durations()
    assert durations.usual_chunk_s("exp", few=True) is None
    for seconds in (10.0, 11.0):
        durations.note_chunk("exp", "a", seconds)
    assert durations.usual_chunk_s("exp") is None
    assert durations.usual_chunk_s("exp", few=True) == 10.5
    durations.note_chunk("exp", "a", 90.0)
    assert durations.usual_chunk_s("exp") == 11.0
    assert durations.usual_chunk_s("another", few=True) is None


def test_nodes_are_compared_by_chunks_of_the_same_export() -> None:
    durations = Durations()
    nodes = {"slow": 2.0, "usual": 1.0, "another": 1.0, "fast": 0.5}
    for number in range(20):
        for node, slowness in nodes.items():
            # A straggler is not the fault of its node.
            odd = 8.0 if (number, node) == (17, "usual") else 1.0
            durations.note_chunk(f"exp {number}", node, (number + 1) * 10.0 * slowness * odd)
        durations.note_chunk(f"exp {number}", None, (number + 1) * 10.0)
        for node, slowness in nodes.items():
            durations.note_chunk(f"exp {number}", node, (number + 1) * 10.0 * slowness)
    assert durations.slowness == pytest.approx(nodes)
    durations.note_chunk("new", "nothing is known of this one", 10.0)
    assert "nothing is known of this one" not in durations.slowness


def test_a_node_that_is_always_overtaken_is_known_as_slow() -> None:
    durations = Durations()
    for number in range(9):
        durations.note_chunk("exp", "usual", 10.0)
        durations.note_overtaken("exp", "slow", 40.0)
        # Nor is the one slow that was about to overtake it.
        durations.note_overtaken("exp", "usual", 9.0 - number)
    assert durations.slowness["slow"] == pytest.approx(4.0)
    assert durations.slowness["usual"] == pytest.approx(1.0)


def test_nodes_are_not_compared_by_what_takes_no_time() -> None:
    durations = Durations()
    for number in range(20):
        durations.note_chunk("exp", f"node {number % 2}", 0.001 if number % 2 else 0.05)
    assert durations.slowness == {"node 0": 1.0, "node 1": 1.0}


def test_other_kinds_are_compared_by_their_size() -> None:
    durations = Durations()
    for number in range(9):
        durations.note("stitch", 1000, 10.0 + number)
    assert durations.usual_s("stitch", 1000) is None
    durations.note("stitch", None, 500.0)
    assert durations.usual_s("stitch", 1000) == pytest.approx(14.0)
    assert durations.usual_s("stitch", 20_000) == pytest.approx(280.0)
    assert durations.usual_s("audio", 1000) is None


def test_of_what_has_no_size_nine_of_ten_are_quicker() -> None:
    durations = Durations()
    for number in range(20):
        durations.note("intake", None, float(number))
    usual_s = durations.usual_s("intake", None)
    assert usual_s is not None
    assert 17 <= usual_s <= 19


def test_what_has_frames_or_sound_has_a_size() -> None:
    plan = make_plan(picture=bench_picture(64, 36), frames=300, audio=None, engine="engine")
    assert [size_of(chunk) for chunk in plan.chunks] == [len(each.frames) for each in plan.chunks]
    assert size_of(plan.stitch) == 300
    assert size_of(plan.stitch.model_copy(update={"frames": 0})) is None
