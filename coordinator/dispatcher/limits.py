"""How patient the dispatcher is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds; the defaults suit chunks of about four seconds of video."""

    margin: int = 2
    """Work items submitted beyond the slots, so that no slot waits for us."""
    grace_s: float = 1.0
    """From telling an attempt to stop to ending its process."""
    begin_s: float = 120.0
    """The longest that an attempt may wait for a worker while a slot is free."""
    deadline_s: float = 1800.0
    """The longest that one attempt at a chunk, an intake or a probe may take."""
    long_deadline_s: float = 6 * 3600.0
    """The same of the sound and the stitch, which are as long as the whole video."""
    stall_s: float = 180.0
    """The longest that a chunk may go without a new frame."""
    straggler_s: float = 10.0
    """No attempt is called late before, however fast the others were."""
    retention_s: float = 30 * 86400.0
    """How long a finished video is kept."""
    segment_retention_s: float = 3 * 86400.0
    """How long segments and sounds are kept that nothing under way needs."""
    event_retention_s: float = 3600.0
    """How long progress is kept, but for changes of state."""
    orphan_s: float = 12 * 3600.0
    """Age at which an object that nothing refers to is removed; no attempt takes as long."""

    def deadline_of(self, kind: str) -> float:
        """The longest that one attempt at a kind of work item may take."""
        return self.long_deadline_s if kind in ("audio", "stitch") else self.deadline_s
