"""Attempts under way, as the dispatcher keeps them in memory."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.dispatcher.choosing import Waiting
from coordinator.ports import Item
from shared.errors import MidifarmError
from shared.keys import RESULTS, attempt_key, poster_key
from shared.plan import AudioSpec, ChunkSpec, StitchSpec


def attempt_name(attempt_id: int) -> str:
    """What an attempt is called in the cluster, and in the keys of what it writes."""
    return f"a{attempt_id}"


def attempt_id(name: str) -> int:
    """The attempt that is called so."""
    return int(name.removeprefix("a"))


def written_by(content: str, attempt_id: int) -> list[str]:
    """Where an attempt writes that is about ``content``, the key of an item's result."""
    key = attempt_key(content, attempt_name(attempt_id))
    return [key, poster_key(key)] if content.startswith(RESULTS) else [key]


def size_of(item: Item) -> int | None:
    """How much an item makes, as Running.size has it."""
    match item:
        case ChunkSpec():
            return len(item.frames)
        case StitchSpec():
            return item.frames or None
        case AudioSpec():
            return item.samples
    return None


@dataclass(slots=True)
class Running:
    """An attempt under way."""

    id: int
    item: Waiting
    submitted_s: float
    node: str
    """Where it was put."""
    size: int | None = None
    """Frames, or samples of sound, that it makes; None where that is not known before."""
    frames: int = 0
    first_frames: int = 0
    """Of which it told first."""
    first_s: float = 0.0
    """When."""
    started_s: float | None = None
    worker: str | None = None
    moved_s: float = 0.0
    """When it told of a new frame last, or has begun."""
    gone_s: float | None = None
    """Since when its node is gone."""
    told_s: float | None = None
    """When it was told to stop."""
    killed_s: float = float("-inf")
    """When its process was ended last."""
    verdict: MidifarmError | None = None
    """Why we stopped it, where it is to blame."""

    @property
    def name(self) -> str:
        """See attempt_name()."""
        return attempt_name(self.id)

    def note_frames(self, frames: int, now_s: float) -> None:
        """Note how many frames are done, as it tells."""
        if frames <= self.frames:
            return
        if self.frames == 0:
            self.first_frames, self.first_s = frames, now_s
        self.frames, self.moved_s = frames, now_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubmitted:
    """The outcome of an attempt that no worker heard of."""

    attempt: str
    error: MidifarmError | None
    report: None = None
    node: None = None
    worker: None = None
    wall_s: None = None
