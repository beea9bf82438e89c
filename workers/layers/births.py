"""Which particles notes have let go: a burst at every strike, or a stream while a note sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.composition import ParticlesLayer
from workers.layers.chance import Hashes, hashed, luck
from workers.layers.crowds import laid_out, loudness, shares
from workers.layers.scene import Floats, Indices, Scene

Numbers = NDArray[np.float64]

_MOST: Final = 12_000
"""Particles that live at one time, at most or nearly so; music seldom asks for a tenth of it."""
_MOST_LIGHT: Final = 24.0
"""What they may cover together, in squares of the short side: large ones are fewer."""
DRAWN: Final = 1.6
"""Radius of what is drawn, gone at its edge, beside the radius that is seen."""
_BURST_S: Final = 0.05
"""The particles of a strike leave within that time, most of them at once."""
_JITTER_S: Final = 0.04
"""Those of a sounding note leave so much later than evenly."""
_FINEST: Final = 4096
"""Particles a second into which streams are counted; more than can be asked for."""
_SHORTEST: Final = 0.35
"""The shortest life beside the longest."""

# What is left to luck; the layer counts on from here.
_LIFE, _DELAY, _WEIGHT = range(100, 103)


@dataclass(frozen=True, slots=True, kw_only=True)
class Births:
    """Particles of notes that live at a moment, (n,) each."""

    note: Indices
    """The note that each comes from."""
    chance: Hashes
    """What else is left to luck follows from it."""
    age_s: Numbers
    """Seconds since it left."""
    life_part: Floats
    """How much of its life it has behind it, 0 to 1."""
    counts: Floats
    """How far it is there, 0 to 1: it is not there at once where the amount moves."""


def burst(scene: Scene, settings: ParticlesLayer, now: float) -> Births:
    """What strikes have thrown, as it is at a time of the song in seconds."""
    notes = scene.notes
    lasts_s = settings.life_s + _BURST_S
    index = notes.started(now - lasts_s, float(np.nextafter(now, np.inf)))
    start_s = notes.start_s[index]
    room = shares(scene, index, lasts_s=lasts_s, room=_room(settings))
    wanted = np.minimum(settings.amount * loudness(notes.velocity[index]), room)
    first = luck(hashed(index, settings.seed), _WEIGHT).astype(np.float64)
    which, number = laid_out(np.ceil(np.maximum(wanted - first, 0)).astype(np.int64))
    chance = hashed(index[which], number, settings.seed)
    counts = (wanted - first)[which] - number
    counts = np.minimum(counts / (0.2 * np.minimum(wanted[which], 1)), 1)
    age_s = (now - start_s)[which] - _BURST_S * luck(chance, _DELAY) ** 2
    return _living(settings, index[which], chance, age_s, counts)


def stream(scene: Scene, settings: ParticlesLayer, now: float) -> Births:
    """What sounding notes have let go, as it is at a time of the song in seconds.

    Moments at which one may leave are counted at a rate that is a power of two. Every second
    of them is used as far as the amount asks for it, so that more of them come between
    those that are there when the amount grows.
    """
    notes = scene.notes
    lasts_s = settings.life_s + _JITTER_S
    index = notes.visible(now - lasts_s, float(np.nextafter(now, np.inf)))
    start_s, end_s = notes.start_s[index], notes.end_s[index]
    room = shares(scene, index, lasts_s=lasts_s, room=_room(settings), sounding=True)
    wanted = settings.amount * loudness(notes.velocity[index]).astype(np.float64)
    rate = np.minimum(wanted, room / np.minimum(end_s - start_s, lasts_s))
    octave = np.exp2(np.ceil(np.log2(np.maximum(rate, 1 / _FINEST))))
    since_s = now - start_s
    low = np.maximum(np.ceil((since_s - lasts_s) * octave), 0).astype(np.int64)
    high = np.floor(np.minimum(since_s, end_s - start_s) * octave).astype(np.int64)
    which, number = laid_out(np.maximum(high - low + 1, 0))
    slot = number + low[which]
    finest = (slot * (_FINEST / octave[which])).astype(np.int64)
    chance = hashed(index[which], finest, settings.seed)
    # Of a crowd of short notes not each lets one go when it begins.
    part = np.where(slot == 0, (rate / wanted)[which], (rate / (octave / 2) - 1)[which])
    counts = np.clip(part * 11 - luck(chance, _WEIGHT).astype(np.float64) * 10, 0, 1)
    counts = np.where((slot > 0) & (slot % 2 == 0), 1.0, counts)
    age_s = since_s[which] - slot / octave[which] - _JITTER_S * luck(chance, _DELAY)
    return _living(settings, index[which], chance, age_s, counts)


def _room(settings: ParticlesLayer) -> float:
    """How many particles there may be."""
    # A size may be next to nothing, and its square nothing at all.
    side = max(2 * DRAWN * settings.size / 100, 1e-3)
    return min(_MOST, _MOST_LIGHT / side**2)


def _living(
    settings: ParticlesLayer, note: Indices, chance: Hashes, age_s: Numbers, counts: Numbers
) -> Births:
    life_s = settings.life_s * (_SHORTEST + (1 - _SHORTEST) * luck(chance, _LIFE))
    lives = np.flatnonzero((age_s >= 0) & (age_s < life_s) & (counts > 0))
    age_s = age_s[lives]
    return Births(
        note=note[lives],
        chance=chance[lives],
        age_s=age_s,
        life_part=(age_s / life_s[lives]).astype(np.float32),
        counts=counts[lives].astype(np.float32),
    )
