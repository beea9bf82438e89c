"""What is left out of a crowd of notes is covered, and most of what is covered is left out."""

from __future__ import annotations

import numpy as np
import pytest

from workers.layers.hidden import WHOLE, seen_lengths

CORNER = 2.0


def crowd(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Keys, beginnings, ends and light of notes, in the order in which they are drawn."""
    random = np.random.default_rng(seed)
    begin = np.sort(random.uniform(-50, 400, count)).astype(np.float32)
    end = begin + random.exponential(60, count).astype(np.float32)
    light = np.where(begin < 0, random.integers(0, 2, count), 0).astype(np.float32)
    return random.integers(60, 63, count).astype(np.uint8), begin, end, light


@pytest.mark.parametrize(("seed", "count"), [(1, 8), (2, 60), (3, 600)])
def test_what_is_left_out_lies_beneath_later_notes(seed: int, count: int) -> None:
    key, begin, end, light = crowd(seed, count)
    seen = seen_lengths(key, begin, end, np.full(count, CORNER, np.float32), light)
    for note in np.flatnonzero(seen < WHOLE):
        later = np.flatnonzero(key[note + 1 :] == key[note]) + note + 1
        left_out = np.arange(begin[note] + seen[note] + 0.01, end[note] + 1, 0.25)
        covered = (begin[later, None] + CORNER < left_out) & (left_out < end[later, None] - CORNER)
        assert covered.any(axis=0).all()
        assert light[note] == 0 or light[later[0]] > 0 or light[later].any()


def test_of_a_crowd_little_is_drawn() -> None:
    count = 5000
    key, begin, end, light = crowd(4, count)
    seen = seen_lengths(key, begin, end, np.full(count, CORNER, np.float32), np.zeros_like(light))
    assert np.minimum(seen, end - begin).sum() < 0.2 * (end - begin).sum()


def test_notes_apart_are_drawn_whole() -> None:
    begin = np.arange(10, dtype=np.float32) * 20
    key = np.full(10, 60, dtype=np.uint8)
    corner, dark = np.full(10, CORNER, np.float32), np.zeros(10, np.float32)
    assert (seen_lengths(key, begin, begin + 20, corner, dark) == WHOLE).all()
    on_other_keys = np.arange(10, dtype=np.uint8)
    assert (seen_lengths(on_other_keys, begin, begin + 300, corner, dark) == WHOLE).all()
    none = np.zeros(0, np.float32)
    assert len(seen_lengths(np.zeros(0, np.uint8), none, none, none, none)) == 0
