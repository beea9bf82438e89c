"""A sound for songs that nobody plays: plain tones, for the eye alone.

A video without sound still has a spectrum that moves. Each note is a handful of harmonics that
decay. They are made from the loudness of the 128 keys at each hop, so the work is bounded by the
length of the song, not by the number of its notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.hearing.bands import HOP_S, HOP_SAMPLES, HOPS_PER_S, SOUND_RATE, Mono
from workers.midi import NoteTable

_HARMONICS: Final = 6
"""The h-th has 1/h of the amplitude of the first, as those of a string struck gently."""
_DECAY_S: Final = 1.2
"""Time in which a tone falls to a third (1/e), that of a piano's middle."""
_BLOCK_HOPS: Final = 1000
_CYCLE: Final = 8192
"""Samples of one period that are kept: so many that none between them are missed (-78 dB)."""
_AMPLITUDE: Final = 0.1
"""Of a note at full velocity: room for chords."""
_RINGING_S: Final = 0.5
"""How long it is silent after the last note, so that the picture comes to rest."""


def tones(notes: NoteTable, end_s: float) -> Iterator[Mono]:
    """Tones of notes, from song time 0 until shortly after ``end_s``, in blocks at SOUND_RATE."""
    hops = int((max(end_s, 0.0) + _RINGING_S) * HOPS_PER_S) + 1
    cycles: dict[int, Mono] = {}
    for first in range(0, hops, _BLOCK_HOPS):
        count = min(_BLOCK_HOPS, hops - first)
        amplitudes = _amplitudes(notes, first, count)
        block = np.zeros((count, HOP_SAMPLES), np.float32)
        for key in np.flatnonzero(amplitudes.any(axis=0)).tolist():
            if key not in cycles:
                cycles[key] = _cycle(_hertz(key))
            _add_tone(block, amplitudes[:, key], first, _hertz(key), cycles[key])
        yield block.reshape(-1)


def _amplitudes(notes: NoteTable, first: int, count: int) -> NDArray[np.float32]:
    """Amplitude of each key at hops ``first`` to ``first + count``, both included."""
    shape = (count + 1, 128)
    rows = notes.visible((first - 1) * HOP_S, (first + count + 1) * HOP_S)
    # A note sounds at the hops of its time, and at one at least.
    begin = np.ceil(notes.start_s[rows] * HOPS_PER_S).astype(np.int64)
    end = np.maximum(np.ceil(notes.end_s[rows] * HOPS_PER_S).astype(np.int64), begin + 1)
    low, high = np.maximum(begin - first, 0), np.minimum(end - first, count + 1)
    lengths = np.maximum(high - low, 0)
    note = np.repeat(np.arange(len(rows)), lengths)
    hop = np.arange(len(note)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + low[note]
    age_s = np.maximum((hop + first) * HOP_S - notes.start_s[rows][note], 0)
    force = _AMPLITUDE * notes.velocity[rows][note] / 127 * np.exp(-age_s / _DECAY_S)
    place = hop * 128 + notes.key[rows][note]
    filled = np.bincount(place, weights=force, minlength=shape[0] * shape[1])
    return filled.reshape(shape).astype(np.float32)


def _add_tone(
    block: NDArray[np.float32], amplitude: Mono, first: int, hertz: float, cycle: Mono
) -> None:
    """Add one key to a block of shape (hops, HOP_SAMPLES), only where it sounds."""
    start, stop = amplitude[:-1, None], amplitude[1:, None]
    hops = np.flatnonzero((start + stop)[:, 0])
    ramp = np.arange(HOP_SAMPLES, dtype=np.float32) / HOP_SAMPLES
    # The phase follows from the time alone, so a key never clicks where a hop or a block begins.
    begun = (hops + first) * HOP_S * hertz % 1
    phase = begun[:, None] + np.arange(HOP_SAMPLES) * (hertz / SOUND_RATE)
    wave = cycle[(phase * _CYCLE).astype(np.int32) & (_CYCLE - 1)]
    block[hops] += wave * (start[hops] + (stop[hops] - start[hops]) * ramp)


def _cycle(hertz: float) -> Mono:
    """One period of a tone, without what SOUND_RATE cannot hold."""
    time = np.arange(_CYCLE) / _CYCLE
    audible = [h for h in range(1, _HARMONICS + 1) if h * hertz < 0.45 * SOUND_RATE]
    return np.asarray(sum(np.sin(2 * np.pi * h * time) / h for h in audible), np.float32)


def _hertz(key: int) -> float:
    """Equal temperament, A4 (key 69) at 440 Hz."""
    return float(440 * 2 ** ((key - 69) / 12))
