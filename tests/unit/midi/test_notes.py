"""The note table and its index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workers.midi import NoteTable

times = st.floats(0, 100, allow_nan=False)
lengths = st.one_of(st.floats(1e-6, 1), st.floats(1, 1000), st.just(0.25), st.just(90_000.0))


def table(start_s, length_s) -> NoteTable:
    start_s = np.asarray(start_s, dtype=np.float64)
    count = len(start_s)
    return NoteTable.build(
        start_s=start_s,
        end_s=start_s + length_s,
        key=np.arange(count) % 128,
        velocity=np.full(count, 64),
        channel=np.zeros(count),
        track=np.zeros(count),
    )


@given(
    st.lists(st.tuples(times, lengths), max_size=60), st.lists(st.tuples(times, times), min_size=1)
)
def test_visible_and_started_agree_with_a_scan(notes, windows) -> None:
    rows = table([start for start, _ in notes], np.array([length for _, length in notes]))
    for t0, t1 in [*windows, *((a, a + b) for a, b in notes), *((a + b, 1e6) for a, b in notes)]:
        seen = np.flatnonzero((rows.start_s < t1) & (rows.end_s > t0))
        assert rows.visible(t0, t1).tolist() == seen.tolist()
        begun = np.flatnonzero((rows.start_s >= t0) & (rows.start_s < t1))
        assert rows.started(t0, t1).tolist() == begun.tolist()


def test_the_window_is_half_open() -> None:
    rows = table([1.0], 1.0)
    assert len(rows.visible(0, 1)) == len(rows.visible(2, 3)) == 0
    assert len(rows.visible(0, 1.001)) == len(rows.visible(1.999, 3)) == 1


@given(hnp.arrays(np.float64, st.integers(0, 50), elements=times))
def test_rows_are_sorted_and_read_only(start_s) -> None:
    rows = table(start_s, 1.0)
    assert np.all(np.diff(rows.start_s) >= 0)
    assert len(rows) == len(start_s)
    assert all(not getattr(rows, name).flags.writeable for name in ("start_s", "key", "track"))


def test_rows_in_disorder_are_refused() -> None:
    good = table([0, 1], 1.0)
    columns = {name: getattr(good, name) for name in ("key", "velocity", "channel", "track")}
    with pytest.raises(ValueError, match="order"):
        NoteTable(start_s=good.start_s[::-1], end_s=good.end_s[::-1], **columns)
    with pytest.raises(ValueError, match="length"):
        NoteTable(start_s=good.start_s, end_s=good.end_s[:1], **columns)


def test_select_keeps_the_order() -> None:
    assert table([0, 1, 2], 1.0).select(np.array([True, False, True])).start_s.tolist() == [0, 2]
    assert len(NoteTable.empty()) == 0
