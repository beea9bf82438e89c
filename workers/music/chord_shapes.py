"""Which chord a handful of notes is.

Everything is counted from the bass note, in whole numbers: so the same notes elsewhere on the
keyboard are the same chord elsewhere, and no two machines round differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A kind of chord."""

    suffix: str
    """What follows the root in its name."""
    tones: tuple[int, ...]
    """Its tones in semitones above the root, the root first."""
    needed: tuple[int, ...]
    """For each tone what it costs where it is missing, in percent."""
    rarity: int
    """What the chord costs beside others that fit as well, in percent."""
    leading: bool = False
    """Whether its root leads upwards as a rule: it is a raised note, C♯ rather than D♭."""
    minor: bool = False
    """Whether it has a minor third."""


SHAPES: Final = (
    Shape(suffix="", tones=(0, 4, 7), needed=(35, 30, 12), rarity=0),
    Shape(suffix="m", tones=(0, 3, 7), needed=(35, 30, 12), rarity=0, minor=True),
    Shape(suffix="7", tones=(0, 4, 7, 10), needed=(35, 30, 6, 40), rarity=4),
    Shape(suffix="m7", tones=(0, 3, 7, 10), needed=(35, 30, 10, 40), rarity=6, minor=True),
    Shape(suffix="maj7", tones=(0, 4, 7, 11), needed=(35, 30, 12, 40), rarity=8),
    Shape(suffix="dim", tones=(0, 3, 6), needed=(35, 30, 30), rarity=5, leading=True),
    Shape(suffix="dim7", tones=(0, 3, 6, 9), needed=(35, 30, 30, 35), rarity=5, leading=True),
    Shape(suffix="m7♭5", tones=(0, 3, 6, 10), needed=(35, 30, 30, 35), rarity=7, leading=True),
    Shape(suffix="+", tones=(0, 4, 8), needed=(35, 30, 30), rarity=10),
    Shape(suffix="sus4", tones=(0, 5, 7), needed=(35, 35, 45), rarity=12),
    Shape(suffix="7sus4", tones=(0, 5, 7, 10), needed=(35, 35, 20, 35), rarity=13),
    Shape(suffix="sus2", tones=(0, 2, 7), needed=(35, 35, 50), rarity=14),
    Shape(suffix="6", tones=(0, 4, 7, 9), needed=(35, 30, 20, 40), rarity=13),
    Shape(suffix="m6", tones=(0, 3, 7, 9), needed=(35, 30, 20, 40), rarity=13, minor=True),
    Shape(suffix="(add9)", tones=(0, 4, 7, 2), needed=(35, 30, 12, 40), rarity=16),
    Shape(suffix="m(maj7)", tones=(0, 3, 7, 11), needed=(35, 30, 20, 40), rarity=22, minor=True),
    Shape(suffix="9", tones=(0, 4, 7, 10, 2), needed=(35, 30, 6, 40, 40), rarity=18),
    Shape(suffix="m9", tones=(0, 3, 7, 10, 2), needed=(35, 30, 10, 40, 40), rarity=20, minor=True),
    Shape(suffix="maj9", tones=(0, 4, 7, 11, 2), needed=(35, 30, 12, 40, 40), rarity=22),
    Shape(suffix="7♭9", tones=(0, 4, 7, 10, 1), needed=(35, 30, 6, 40, 40), rarity=18),
    Shape(suffix="5", tones=(0, 7), needed=(35, 35), rarity=20),
)
"""The chords that are known, the plainer first: of equals the first is taken."""

STATES: Final = 12 * len(SHAPES)
"""A state is a shape on a root: ``root * len(SHAPES) + shape``, the root in semitones."""
PARTS: Final = 1000
"""The weights of the pitch classes together; one is a thousandth of what sounds."""
PERFECT: Final = 100 * PARTS
"""The score of a plain chord in root position."""
NO_CHORD: Final = 30 * PARTS
"""What is scored lower is no chord."""

_FOREIGN: Final = 130
"""What a sounding note that does not belong costs, in percent of its weight."""
_TRIAD_TONE: Final = 70
_ADDED_TONE: Final = 130
"""Thousandths from which on a tone of a triad, and one above it, is not missing at all."""
_ROOT_BASS: Final = 12
"""What the bass being the root is worth, in percent."""
_EVENED: Final = np.rint(np.arange(PARTS + 1) ** 0.7 * 100).astype(np.int64)
"""Thousandths by how much they count: a bass that is held does not drown what is played above."""
_HEARD: Final = 20
"""Thousandths from which on a pitch class counts as heard at all."""


def _tables() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weights of the three kinds of columns for each state, its constant, and its tones."""
    weights = np.zeros((36, STATES))
    constant = np.zeros(STATES)
    tones = np.zeros((12, STATES))
    for root in range(12):
        for number, shape in enumerate(SHAPES):
            state = root * len(SHAPES) + number
            weights[:12, state] = -_FOREIGN
            constant[state] = (
                PERFECT - shape.rarity * PARTS - (0 if root == 0 else _ROOT_BASS * PARTS)
            )
            for place, (tone, cost) in enumerate(zip(shape.tones, shape.needed, strict=True)):
                pitch = (root + tone) % 12
                weights[pitch, state] = 0
                tones[pitch, state] = 1
                kind = 12 if place < 3 else 24
                # Columns of the second and third kind hold percent of what is needed.
                weights[kind + pitch, state] = cost * PARTS // 100
                constant[state] -= cost * PARTS
    return weights.astype(np.float32), constant.astype(np.float32), tones.astype(np.float32)


_WEIGHTS, _CONSTANT, _TONES = _tables()
_LEAST: Final = np.array([2 if shape.suffix in ("", "m", "5") else 3 for shape in SHAPES] * 12)
"""How many tones of a chord have to be heard: two notes are a major or minor third or a fifth, or
no chord."""


def best_chords(profile: IntArray, bass: IntArray) -> tuple[IntArray, IntArray]:
    """The chord that fits best to each row of notes.

    Args:
        profile: Shape (rows, 12): how much of each pitch class sounds, in any unit.
        bass: Shape (rows,): the pitch class of the lowest note.

    Returns:
        For each row the state (see STATES, the root as a pitch class), -1 for no chord; and its
        score, PERFECT at most, 0 without a chord.
    """
    total = profile.sum(axis=1)
    turned = np.take_along_axis(profile, (bass[:, None] + np.arange(12)) % 12, axis=1)
    parts = _EVENED[turned * PARTS // np.maximum(total, 1)[:, None]]
    parts = parts * PARTS // np.maximum(parts.sum(axis=1), 1)[:, None]
    columns = np.concatenate(
        [
            parts,
            np.minimum(parts * 100 // _TRIAD_TONE, 100),
            np.minimum(parts * 100 // _ADDED_TONE, 100),
        ],
        axis=1,
    ).astype(np.float32)
    # Whole numbers below 2^24: exact in this type, in whatever order they are added.
    scores = columns @ _WEIGHTS + _CONSTANT
    heard = (parts >= _HEARD).astype(np.float32) @ _TONES
    scores[heard < _LEAST] = 0
    best = scores.argmax(axis=1)
    score = np.take_along_axis(scores, best[:, None], axis=1)[:, 0].astype(np.int64)
    root, shape = best // len(SHAPES), best % len(SHAPES)
    state = (root + bass) % 12 * len(SHAPES) + shape
    none = score < NO_CHORD
    return np.where(none, -1, state), np.where(none, 0, score)
