"""What is asked of the simulated farm: the exports of many users, and what each part takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from coordinator.database import Database
from coordinator.database.exports import NewExport, create_exports
from coordinator.ports import Item
from shared.intake import IntakeSpec
from shared.keys import asset_key, digest
from shared.plan import AudioSpec, ChunkSpec, StitchSpec
from shared.styles import find_style
from tests.farm import add_composition, small
from tests.simulation.chance import Chance
from tests.simulation.clock import VirtualClock

FRAME_S: Final = (0.15, 0.3, 0.5)
"""What a frame takes at speed 1: about 1080p, 1440p and 4K, drawn and encoded by processors."""
WEIGHTS: Final = (0.6, 0.25, 0.15)
"""How frequent each of them is."""
_SHORTEST_S: Final = 20.0
_LONGEST_S: Final = 240.0
_INTAKE_S: Final = 2.0
_STITCH_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One export."""

    number: int
    """Its own."""
    user: str
    """Whose it is."""
    seconds: float
    """Length of the video."""
    frame_s: float
    """What a frame takes at speed 1."""


@dataclass(frozen=True)
class Workload:
    """All exports; what each part of them takes follows from the seed."""

    chance: Chance
    users: int
    exports: int
    mean_s: float
    """Length of a video, in the mean."""
    cost: float = 1.0
    """What a frame takes, in what FRAME_S says."""

    @cached_property
    def songs(self) -> list[Song]:
        """All exports, as they are accepted: those of a user one after the other."""
        names = [f"user {number:03}" for number in range(self.users)]
        # Some have three times as many as others.
        weights = [self.chance.between(0.5, 1.5, name, "weight") for name in names]
        owners = sorted(
            self.chance.one_of(names, weights, number, "owner")
            for number in range(self.exports - self.users)
        )
        return [self._song(number, user) for number, user in enumerate(sorted(names + owners))]

    def _song(self, number: int, user: str) -> Song:
        beyond_s = self.chance.after(self.mean_s - _SHORTEST_S, number, "seconds")
        return Song(
            number=number,
            user=user,
            seconds=round(min(_LONGEST_S, _SHORTEST_S + beyond_s), 1),
            frame_s=self.cost * self.chance.one_of(FRAME_S, WEIGHTS, number, "frame"),
        )

    def song_of(self, item: Item) -> Song:
        """The export that an item is part of: its number is in the keys of its files."""
        match item:
            case IntakeSpec():
                key = item.recording_key
            case ChunkSpec():
                key = item.picture.song_key
            case AudioSpec():
                key = item.recording_key
            case StitchSpec():
                key = item.audio and item.audio.recording_key
            case _:
                raise AssertionError(item)
        assert key is not None
        return self.songs[int(key.rpartition("/")[2].split(".")[0])]

    def work_s(self, item: Item) -> float:
        """What an item takes at speed 1: the same whoever does it, and how often."""
        song = self.song_of(item)
        match item:
            case ChunkSpec():
                spread = self.chance.spread(0.15, song.number, item.index)
                return len(item.frames) * song.frame_s * spread
            case AudioSpec():
                return 1.0 + 0.05 * song.seconds
            case StitchSpec():
                return _STITCH_S + 0.05 * song.seconds
        return _INTAKE_S

    async def submit(self, database: Database, clock: VirtualClock) -> None:
        """Have the service accept all exports, each user's as one batch."""
        style, configuration = find_style("aurora"), small()
        by_user: dict[str, list[Song]] = {}
        for song in self.songs:
            by_user.setdefault(song.user, []).append(song)
        for user, songs in by_user.items():
            # Nobody comes at the same moment as somebody else.
            clock.advance(clock.now_s() + 0.01)
            async with database.transaction() as connection:
                await add_composition(connection, user, f"cmp_{user}")
                accepted = [
                    NewExport(
                        composition_id=f"cmp_{user}",
                        composition_revision=1,
                        name=str(song.number),
                        configuration=configuration,
                        intake=IntakeSpec(
                            midi_key=asset_key(digest(str(song.number).encode())),
                            recording_key=f"recordings/{song.number}",
                            composition=style,
                        ),
                        end_s=song.seconds,
                    )
                    for song in songs
                ]
                await create_exports(connection, user, accepted)
