"""Many notes at once: what keeps the light of ten thousand strikes a second drawable.

Both ways are pure functions of the song. Lights of one key and one shape are added up before
they are drawn. Where that cannot be, every note is given a share that depends on how many others
are near it in time, so that nothing comes or goes as the frame moves on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.layers.scene import Floats, Indices, Scene

Notes = NDArray[np.intp]
Values = NDArray[np.float64]


def added_up(keys: NDArray[np.uint8], values: Values) -> tuple[Notes, Values]:
    """The sums of what notes have, for every key that has any.

    Args:
        keys: Key of each note, (n,).
        values: Numbers of each note, (n, m).

    Returns:
        The keys in ascending order, (k,), and their sums, (k, m).
    """
    present = np.flatnonzero(np.bincount(keys, minlength=1))
    sums = [np.bincount(keys, weights=column)[present] for column in values.T]
    return present, np.stack(sums, axis=1)


def limited(light: Values, most: float) -> Values:
    """Light that comes ever closer to twice ``most``, and stays as it is up to that.

    Args:
        light: Red, green and blue, (n, 3); their hue stays.
        most: Brightness of the strongest of them from which on it is held back.
    """
    peak = light.max(axis=1, initial=0.0)
    over = np.maximum(peak - most, 0.0)
    held = np.minimum(peak, most) + most * -np.expm1(-over / max(most, 1e-9))
    scale = np.divide(held, peak, out=np.ones_like(peak), where=peak > 0)
    limits: Values = light * scale[:, None]
    return limits


def shares(
    scene: Scene, index: Notes, *, lasts_s: float, room: float, sounding: bool = False
) -> Values:
    """What part of ``room`` each note may fill, so that together they never fill more.

    Whoever is seen with a note began, or sounds, so close to it in time that it is counted here.

    Args:
        scene: Has the notes.
        index: Of the notes, (n,).
        lasts_s: How long light is seen after the moment that it comes from.
        room: What there is in all.
        sounding: Whether light comes from a note as long as it sounds, not from its strike alone.

    Returns:
        float64 (n,), ``room`` divided by the number of notes near each.
    """
    starts = scene.notes.start_s
    ends = scene.music.ends_s if sounding else starts
    first_s = starts[index]
    last_s = scene.notes.end_s[index] if sounding else first_s
    begun = starts.searchsorted(last_s + lasts_s, side="right")
    over = ends.searchsorted(first_s - lasts_s, side="left")
    each: Values = room / np.maximum(begun - over, 1)
    return each


def laid_out(counts: Indices) -> tuple[Indices, Indices]:
    """For each of ``counts[i]`` things of every ``i``: its ``i``, and its number among them."""
    which = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return which, np.arange(len(which)) - before[which]


def loudness(velocity: NDArray[np.uint8]) -> Floats:
    """How much light strikes make: 1 at the hardest, never too little to be seen."""
    return (0.45 + 0.55 / 127 * velocity.astype(np.float32)).astype(np.float32)
