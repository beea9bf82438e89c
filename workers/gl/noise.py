"""Chance that is the same on every machine, and in every frame."""

from __future__ import annotations

from typing import Final

import moderngl
import numpy as np
from numpy.typing import NDArray

from workers.gl.paintbox import Paintbox

NOISE_PX: Final = 256
"""Side of the texture; a power of two, so that shaders can wrap with ``&``."""


def noise_texture(paintbox: Paintbox) -> moderngl.Texture:
    """Noise to break the bands that 8 bits make of soft light.

    8 bits: red is even, green the mean of two such.
    """
    return paintbox.hold("noise", lambda: _make(paintbox))


def even(seed: int, *shape: int) -> NDArray[np.float64]:
    """Numbers of that shape between 0 and 1; a longer list begins like a shorter one."""
    places = np.arange(int(np.prod(shape)), dtype=np.uint64)
    return (_mixed(places + np.uint64(seed << 32)) >> np.uint64(11)).reshape(shape) / 2.0**53


def _mixed(places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """64 even bits for each: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    mixed = places * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)


def _make(paintbox: Paintbox) -> moderngl.Texture:
    mixed = _mixed(np.arange(NOISE_PX * NOISE_PX * 3, dtype=np.uint64))
    values = (mixed >> np.uint64(56)).astype(np.uint16).reshape(-1, 3)
    red, green = values[:, 0], (values[:, 1] + values[:, 2]) // 2
    pixels = np.stack([red, green], axis=1).astype(np.uint8)
    return paintbox.texture((NOISE_PX, NOISE_PX), 2, pixels.tobytes())
