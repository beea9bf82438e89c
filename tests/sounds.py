"""Sounds that are hard to level, made here, and an independent judge of what became of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 48000
Sound = NDArray[np.float32]
"""Shape (channels, samples), full scale is 1.0."""


def piano(seconds: float = 5.0, *, seed: int = 3) -> Sound:
    """Struck strings with hammers, loud and soft: 18 dB from its loudness to its peaks."""
    rng = np.random.default_rng(seed)
    samples, length = round(seconds * RATE), 2 * RATE
    out = np.zeros((2, samples + length))
    time_s = np.arange(length) / RATE
    at_s = 0.2
    while at_s < seconds - 0.3:
        for _ in range(rng.integers(1, 4)):
            hertz = 27.5 * 2 ** (rng.integers(20, 75) / 12)
            force = rng.uniform(0.15, 1) ** 2
            note = force * 0.6 * rng.normal(0, 1, length) * np.exp(-time_s * 180)
            for part in range(1, 7):
                decay = np.exp(-time_s * (1.5 + part * 0.8 + hertz / 400))
                phase = 2 * np.pi * hertz * part * time_s + rng.uniform(0, 6)
                note += force * decay * np.sin(phase) / part**1.2
            left = rng.uniform(0.3, 0.7)
            first = round(at_s * RATE)
            out[:, first : first + length] += np.outer((left, 1 - left), note)
        at_s += rng.uniform(0.15, 0.9)
    kept = out[:, :samples]
    return (0.9 * kept / np.abs(kept).max()).astype(np.float32)


def knocks(seconds: float = 5.0) -> Sound:
    """Two loud knocks over a quiet chord: its peaks are 31 dB above its loudness."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    sound = sum(0.02 * np.sin(2 * np.pi * hertz * time_s) for hertz in (330, 415, 494, 1234))
    reach = np.arange(-400, 400)
    for at_s in (1.0, 2.3):
        place = round(at_s * RATE)
        sound[place - 400 : place + 400] += 0.8 * np.exp(-((reach / 12.0) ** 2))
    return np.stack([sound, sound]).astype(np.float32)


def square(seconds: float = 5.0) -> Sound:
    """Two square waves at full level."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    sound = 0.7 * np.tanh(8 * np.sin(2 * np.pi * 110 * time_s))
    sound += 0.3 * np.tanh(8 * np.sin(2 * np.pi * 277 * time_s))
    return np.stack([sound, 0.9 * sound]).astype(np.float32)


def bells(seconds: float = 5.0) -> Sound:
    """High and bright strokes, which codecs overshoot by several dB."""
    rng = np.random.default_rng(8)
    time_s = np.arange(round(seconds * RATE)) / RATE
    decay = np.exp(-(time_s * 2 % 1) * 6)
    sound = rng.normal(0, 0.5, len(time_s)) * np.exp(-(time_s * 2 % 1) * 30)
    for hertz in (1760, 3520, 5274, 7040, 9400):
        sound += decay * np.sin(2 * np.pi * hertz * time_s + rng.uniform(0, 6))
    sound /= np.abs(sound).max()
    return np.stack([sound, np.roll(sound, 37)]).astype(np.float32)


def judged(ffmpeg: Callable[..., str], path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, as Debian's ffmpeg measures a file."""
    log = ffmpeg("-i", path, "-af", "ebur128=peak=true", "-f", "null", "-")
    summary = log[log.rindex("Summary:") :]
    integrated = re.findall(r"I:\s+(-?[\d.]+) LUFS", summary)[0]
    return float(integrated), float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", summary)[0])


def crest(sound: NDArray[np.float32], near: int) -> float:
    """Where the highest point near a place lies, to a fraction of a sample."""
    first = max(near - 500, 1)
    index = int(np.argmax(sound[first : near + 500])) + first
    before, here, after = (float(v) for v in sound[index - 1 : index + 2])
    return index + 0.5 * (before - after) / (before - 2 * here + after)
