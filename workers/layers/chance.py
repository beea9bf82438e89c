"""Chance without memory: the same numbers give the same luck, in whatever order they are asked."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Hashes = NDArray[np.uint32]
Floats = NDArray[np.float32]

_GOLDEN: Final = np.uint32(0x9E3779B9)
"""2³² over the golden ratio: neighbouring numbers come to lie far apart."""


def hashed(*numbers: ArrayLike) -> Hashes:
    """A hash of whole numbers, uint32 of the shape that they have together.

    Args:
        numbers: Whole numbers, of which the lowest 32 bits count.
    """
    value: Hashes = np.zeros(1, dtype=np.uint32)
    for number in numbers:
        part = np.asarray(number).astype(np.int64).astype(np.uint32)
        value = _stirred(value * _GOLDEN + part + _GOLDEN)
    return value


def luck(hashes: Hashes, which: int) -> Floats:
    """A number from 0 to below 1 for each hash, float32; one for every ``which``."""
    bits = _stirred(hashes + np.uint32(which * 0x85EBCA6B & 0xFFFFFFFF))
    return (bits >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def _stirred(value: Hashes) -> Hashes:
    """Every bit depends on every other (``lowbias32`` of Chris Wellons, 2018)."""
    value = value ^ (value >> np.uint32(16))
    value = value * np.uint32(0x7FEB352D)
    value ^= value >> np.uint32(15)
    value *= np.uint32(0x846CA68B)
    value ^= value >> np.uint32(16)
    return value
