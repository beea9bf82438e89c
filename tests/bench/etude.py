"""A song for measuring: two hands, eight notes a second each, chords in between."""

from __future__ import annotations

import random
import wave
from pathlib import Path
from typing import Final

import mido
import numpy as np

_TICKS: Final = 480
_SCALE: Final = (0, 2, 4, 5, 7, 9, 11)


def write_etude(path: Path, seconds: int) -> None:
    """Write a song of that length at 120 bpm: the same notes every time."""
    chance = random.Random(846)  # noqa: S311  # notes, not secrets
    song = mido.MidiFile(type=1, ticks_per_beat=_TICKS)
    for low in (60, 36):
        events: list[tuple[int, mido.Message]] = []
        for step in range(seconds * 8):
            start = step * _TICKS // 4
            keys = {low + 12 * chance.randrange(2) + chance.choice(_SCALE)}
            if step % 8 == 0:
                keys |= {low + 4, low + 7}
            for key in keys:
                length = _TICKS // 4 * chance.choice((1, 1, 2, 4)) - 10
                velocity = chance.randrange(50, 110)
                events.append((start, mido.Message("note_on", note=key, velocity=velocity)))
                events.append((start + length, mido.Message("note_off", note=key)))
        track = mido.MidiTrack()
        now = 0
        for tick, message in sorted(events, key=lambda event: event[0]):
            track.append(message.copy(time=tick - now))
            now = tick
        song.tracks.append(track)
    song.save(path)


def write_recording(path: Path, seconds: int) -> None:
    """Write a stereo recording of that length: a decaying tone on each beat, 16 bits, 48 kHz."""
    rate = 48000
    beat = np.arange(rate // 2) / rate
    tones = [
        np.sin(2 * np.pi * 220 * 2 ** (step / 12) * beat) * np.exp(-5 * beat) for step in _SCALE
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        for number in range(2 * seconds):
            tone = (tones[number % len(tones)] * 12000).astype("<i2")
            file.writeframes(np.repeat(tone, 2).tobytes())
