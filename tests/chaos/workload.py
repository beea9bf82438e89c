"""What the users of a chaos run ask for: made from the seed alone, so that two runs are equal."""

from __future__ import annotations

import itertools
import math
import random
import struct
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from shared.styles import STYLES
from tests.songs import SongFile

_FPS: Final = 24
_SIZES: Final = ((320, 180), (180, 320), (240, 240), (256, 144))
_SHARED_EVERY: Final = 4
"""Of so many exports of a user the last is one that every other user asks for too."""
_RATE: Final = 8000
_STEP: Final = Fraction(1, 8)
_LEAST_S: Final = 4
_MOST_S: Final = 7
"""A style's tail and these give videos of 5 to 9 seconds, which is 5 to 8 chunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A song, and how it is to be drawn."""

    title: str
    """Also the name of its composition."""
    style: str
    """A built-in style."""
    midi: Path
    """The MIDI file."""
    recording: Path | None
    """Its recording, for some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One export that a user wants."""

    user: str
    """Who."""
    name: str
    """Of the export; no other one has it."""
    song: Song
    """Of what."""
    config: dict[str, Any]
    """What file comes out, as ``POST /v1/exports`` takes it."""


def write_orders(folder: Path, *, seed: int, users: int, exports: int) -> tuple[Order, ...]:
    """Make the songs and say who wants which, in the order in which they are submitted.

    Every user has two songs of their own, and one that all of them have.

    Args:
        folder: Where the files are written.
        seed: Decides everything.
        users: How many there are.
        exports: How many they want together.
    """
    chance = random.Random(seed)  # noqa: S311  # songs, not secrets
    anthem = _write_song(folder, "anthem", chance, recorded=True)
    names = [f"user{number + 1}" for number in range(users)]
    own = {
        name: [
            _write_song(folder, f"{name}-{which}", chance, recorded=which == "a") for which in "ab"
        ]
        for name in names
    }
    orders = []
    for number in range(exports):
        which, user = number // users, names[number % users]
        shared = which % _SHARED_EVERY == _SHARED_EVERY - 1
        song = anthem if shared else own[user][which % 2]
        width, height = _SIZES[which % len(_SIZES)]
        config = {
            "name": f"{width}x{height}",
            "quality": {
                "resolution": {"width": width, "height": height},
                "framerate": str(_FPS),
                "bitrate": 800,
                # What a user wants twice of one song is never the same.
                "crf": 22 + which,
            },
        }
        orders.append(Order(user=user, name=f"{user} {which + 1}", song=song, config=config))
    # Users take turns; which of theirs comes when is up to chance.
    turns = {name: [order for order in orders if order.user == name] for name in names}
    for mine in turns.values():
        chance.shuffle(mine)
    return tuple(turns[order.user].pop() for order in orders)


def stages(orders: Sequence[Order], later: int) -> list[tuple[Order, ...]]:
    """Half of the orders for the start, the others in equal parts for the moments after it.

    Args:
        orders: In the order in which they are submitted.
        later: How many moments there are.
    """
    if later == 0:
        return [tuple(orders)]
    half = (len(orders) + 1) // 2
    rest = orders[half:]
    edges = [len(rest) * number // later for number in range(later + 1)]
    parts = [tuple(rest[a:b]) for a, b in itertools.pairwise(edges)]
    return [tuple(orders[:half]), *parts]


def _write_song(folder: Path, title: str, chance: random.Random, *, recorded: bool) -> Song:
    seconds = chance.randint(_LEAST_S, _MOST_S)
    song = SongFile(title)
    for low in (60, 42):
        for step in range(int(seconds / _STEP)):
            if chance.random() < 0.2:
                continue
            start_s = step * _STEP
            end_s = min(start_s + _STEP * chance.choice((1, 1, 2, 4)), Fraction(seconds))
            song.note(
                start_s,
                end_s - Fraction(1, 96),
                low + chance.randrange(18),
                velocity=chance.randrange(50, 110),
            )
    # The last note ends where the song does, whatever chance left out.
    song.note(Fraction(seconds) - _STEP, Fraction(seconds), 59)
    recording = None
    if recorded:
        recording = folder / f"{title}.wav"
        _write_recording(recording, seconds, chance)
    return Song(
        title=title,
        style=chance.choice(list(STYLES)),
        midi=song.save(folder / f"{title}.mid"),
        recording=recording,
    )


def _write_recording(path: Path, seconds: int, chance: random.Random) -> None:
    """A decaying tone twice a second, mono."""
    samples = bytearray()
    for _ in range(2 * seconds):
        hertz = 220 * 2 ** (chance.randrange(24) / 12)
        for number in range(_RATE // 2):
            at_s = number / _RATE
            value = 12000 * math.sin(2 * math.pi * hertz * at_s) * math.exp(-5 * at_s)
            samples += struct.pack("<h", round(value))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(bytes(samples))
