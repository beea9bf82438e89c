"""What the lights are computed from: luck, flight, and crowds of notes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.songs import SongFile
from workers.layers.chance import hashed, luck
from workers.layers.crowds import added_up, laid_out, limited
from workers.layers.flight import swirl, thrown
from workers.music import Music


def test_luck_is_even_and_depends_on_every_number() -> None:
    chance = hashed(np.arange(20_000), 3, 7)
    for which in range(4):
        numbers = luck(chance, which)
        assert numbers.dtype == np.float32
        assert 0 <= numbers.min() < numbers.max() < 1
        counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
        assert counts.min() > 850
        assert counts.max() < 1150
    assert abs(np.corrcoef(luck(chance, 0), luck(chance, 1))[0, 1]) < 0.03
    assert abs(np.corrcoef(luck(chance, 0)[1:], luck(chance, 0)[:-1])[0, 1]) < 0.03
    again = hashed(np.arange(20_000), 3, 7)
    assert np.array_equal(chance, again)
    assert (hashed(np.arange(20_000), 3, 8) != chance).mean() > 0.99
    assert (hashed(3, np.arange(20_000), 7) != chance).mean() > 0.99


@pytest.mark.parametrize("drag", [0.0, 1e-4, 0.002, 1.0, 20.0])
def test_a_throw_obeys_its_law_of_motion(drag: float) -> None:
    speed, gravity, step_s = 3.0, -2.0, 1e-4
    way, velocity = 0.0, speed
    for _ in range(15_000):  # the midpoint rule
        half = velocity + (gravity - drag * velocity) * step_s / 2
        velocity += (gravity - drag * half) * step_s
        way += half * step_s
    a, b, c = thrown(np.array([1.5]), drag)
    assert speed * a[0] + gravity * b[0] == pytest.approx(way, abs=1e-4)
    assert speed * c[0] + gravity * a[0] == pytest.approx(velocity, abs=1e-4)


def test_eddies_carry_neighbours_alike_and_nobody_far() -> None:
    x, y = np.random.default_rng(1).random((2, 5000))
    by_x, by_y = swirl(x, y, 12.3, 1)
    assert 0.3 < np.hypot(by_x, by_y).max() <= 1.0 + 1e-6
    near_x, near_y = swirl(x + 0.001, y, 12.3, 1)
    assert np.hypot(near_x - by_x, near_y - by_y).max() < 0.03
    later_x, _ = swirl(x, y, 12.31, 1)
    assert 0 < np.abs(later_x - by_x).max() < 0.03
    # They turn: what flows into a place flows out of it again.
    step = 1e-2
    right, left = swirl(x + step, y, 12.3, 1)[0], swirl(x - step, y, 12.3, 1)[0]
    below, above = swirl(x, y + step, 12.3, 1)[1], swirl(x, y - step, 12.3, 1)[1]
    gathered = (right - left) / (2 * step) + (below - above) / (2 * step)
    turned = np.abs(right - left) / (2 * step)
    assert np.abs(gathered).max() < 0.15 * turned.max()


def test_lights_of_a_key_are_added_and_held_back_softly() -> None:
    keys = np.array([60, 62, 60], dtype=np.uint8)
    present, sums = added_up(keys, np.array([[1.0, 0.5], [2.0, 0.0], [3.0, 0.25]]))
    assert present.tolist() == [60, 62]
    assert sums.tolist() == [[4.0, 0.75], [2.0, 0.0]]
    light = np.array([[0.5, 0.25, 0], [1.0, 0, 0], [8, 4, 0], [80, 40, 0], [0, 0, 0]])
    held = limited(light, 1.0)
    assert held[:2].tolist() == light[:2].tolist()
    assert held[2, 0] < held[3, 0] <= 2
    assert held[2, 1] / held[2, 0] == pytest.approx(0.5)
    which, number = laid_out(np.array([2, 0, 3]))
    assert which.tolist() == [0, 0, 2, 2, 2]
    assert number.tolist() == [0, 1, 0, 1, 2]


def test_music_knows_when_a_key_is_struck_again() -> None:
    file = SongFile().note(0, 1, 60).note(0.5, 3, 62).note(2, 4, 60).note(3, 5, 60)
    song = file.song()
    music = Music(song, song.notes, 6.0)
    assert music.rests_s.tolist()[:3] == [
        1.0,
        np.inf,
        pytest.approx(song.notes.start_s[3] - song.notes.end_s[2]),
    ]
    assert music.ends_s.tolist() == sorted(song.notes.end_s.tolist())
