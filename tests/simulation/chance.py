"""Chance that is always the same: numbers that follow from a seed and a name."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance says about names; each name has one number, whenever it is asked for."""

    seed: int

    def part(self, *name: object) -> float:
        """A number from 0 to 1, both left out."""
        text = repr((self.seed, *name)).encode()
        drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        return (drawn + 0.5) / 2**64

    def between(self, least: float, most: float, *name: object) -> float:
        """A number of a range, all alike."""
        return least + (most - least) * self.part(*name)

    def after(self, mean: float, *name: object) -> float:
        """How long it takes until something happens that may happen at any moment."""
        return -mean * math.log(self.part(*name))

    def spread(self, sigma: float, *name: object) -> float:
        """A factor around 1, as often twice as half (log-normal, of mean 1)."""
        radius = math.sqrt(-2 * math.log(self.part(*name, "radius")))
        normal = radius * math.cos(2 * math.pi * self.part(*name, "angle"))
        return math.exp(sigma * normal - sigma**2 / 2)

    def one_of(self, choices: Sequence[T], weights: Sequence[float], *name: object) -> T:
        """One of some, by their weights."""
        drawn = self.part(*name) * sum(weights)
        for choice, weight in zip(choices, weights, strict=True):
            drawn -= weight
            if drawn <= 0:
                return choice
        return choices[-1]
