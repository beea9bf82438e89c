"""How small things fly: where they are at any time, in one step."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.layers.chance import hashed, luck

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]

_NO_DRAG: Final = 1e-3
"""Below that the exact formula loses its digits to a difference of equals, and a series is used."""
_EDDIES: Final = ((0.34, 0.50, 0.5), (0.17, 0.32, 0.9), (0.085, 0.18, 1.6))
"""Length of the wave beside the short side, part of the way, and turns in 2π seconds of each."""


def thrown(age_s: Numbers, drag: float) -> tuple[Numbers, Numbers, Numbers]:
    """What has become of a throw against the air, which takes ``drag`` of the speed a second.

    With first velocity v and gravity g, the way is ``v·a + g·b`` and the velocity ``v·c + g·a``:
    the solution of x″ = g − drag·x′.

    Args:
        age_s: Seconds since each was thrown, (n,).
        drag: Per second; 0 is empty space.

    Returns:
        a in seconds, b in seconds squared, c without a unit; (n,) each.
    """
    if drag < _NO_DRAG:
        a = age_s * (1 - drag * age_s / 2)
        return a, age_s**2 * (0.5 - drag * age_s / 6), 1 - drag * a
    a = -np.expm1(-drag * age_s) / drag
    return a, (age_s - a) / drag, 1 - drag * a


def swirl(
    x: NDArray[np.floating], y: NDArray[np.floating], time_s: float, seed: int
) -> tuple[Floats, Floats]:
    """Where eddies of the air carry things: at most 1 in all, neighbours alike.

    It is the curl of a sum of waves, so that it turns and neither gathers nor scatters.

    Args:
        x: Across, 1 is the short side, (n,).
        y: Downwards.
        time_s: The eddies drift with it.
        seed: Another number, other eddies.

    Returns:
        The ways across and downwards, (n,) each.
    """
    x, y = x.astype(np.float32), y.astype(np.float32)
    carried_x, carried_y = np.zeros_like(x), np.zeros_like(y)
    for number, (wave, part, pace) in enumerate(_EDDIES):
        for crossing in (0, 1):
            chance = hashed(seed, number, crossing)
            # Two waves of a size cross at about a right angle, which makes whirls of stripes.
            turn = math.pi * (crossing / 2 + 0.3 * float(luck(chance, 0)[0]) + number / 5)
            drift = pace * time_s * (1 if luck(chance, 1)[0] < 0.5 else -1)
            start = (math.tau * float(luck(chance, 2)[0]) + drift) % math.tau
            along_x, along_y = math.cos(turn), math.sin(turn)
            step = np.float32(math.tau / wave)
            pull = np.cos(step * (x * np.float32(along_x) + y * np.float32(along_y)) + start)
            pull = pull.astype(np.float32) * np.float32(part * math.sqrt(0.5))
            carried_x += pull * np.float32(-along_y)
            carried_y += pull * np.float32(along_x)
    return carried_x, carried_y
