"""Which attempts are worth a second one beside them. Pure.

An attempt is late when far more is left of it, at its own pace, than all of it would take
elsewhere: a second one would then end first, by a margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HELPED: Final = frozenset({"intake", "chunk", "audio", "stitch"})
"""Kinds of work items that may get second attempts. How long probes, surveys and previews take says
little about the next one."""
MOST: Final = 0.75
"""Part of an export's chunks that are done, from which on a single one says what is usual."""
_SEEN: Final = 0.25
"""Part of the usual time in which frames must have come before they tell a pace."""
_STILL: Final = 3.0
"""Times the usual time, after which what has told of no new frame stands still."""
_GAIN: Final = 1.5
"""While a slot is free: an attempt is late if more is left than so many times a second one."""
_GAIN_BUSY: Final = 2.5
"""The same while none is: a second one has to wait, and takes a slot that others wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How an attempt is getting on."""

    still_s: float
    """Since it told of a new frame, or has begun."""
    usual_s: float
    """What others like it took."""
    frames: int
    """Frames that came within ``frames_s``, the first ones left out: fetching what is drawn comes
    before these."""
    frames_s: float
    """From the first that was told of frames to the last."""
    frames_left: int
    """Frames that are not done."""

    @property
    def left_s(self) -> float:
        """How much longer it will take; 0 as long as its pace is not known."""
        if self.still_s > _STILL * self.usual_s:
            return self.still_s  # as long again as it has stood still
        if self.frames and self.frames_s > _SEEN * self.usual_s:
            return self.frames_left * self.frames_s / self.frames
        return 0.0


def is_late(ran: Ran, *, again_s: float, is_free: bool) -> bool:
    """Whether an attempt deserves a second one beside it.

    Args:
        ran: How it is getting on.
        again_s: What the second one would take.
        is_free: Whether that one finds a slot free that nobody waits for.
    """
    return ran.left_s > (_GAIN if is_free else _GAIN_BUSY) * again_s
