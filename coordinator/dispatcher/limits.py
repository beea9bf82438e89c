"""How patient the dispatcher is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds; the defaults suit chunks of about four seconds of video."""

    margin: int = 1
    """Work items that a node is given beyond its slots, so that no slot waits for us."""
    previews: int = 2
    """Previews under way at a time, beside what takes up the slots; more where there are many
    slots."""
    quota_running: int | None = None
    """Work items under way at a time of a user who has no quota of his own; None for any number."""
    grace_s: float = 1.0
    """From telling an attempt to stop to ending its process."""
    begin_s: float = 120.0
    """The longest that an attempt may wait for a worker while its node has a slot free."""
    stranded_s: float = 60.0
    """How long an export waits for a node with the engine that it was planned for, before it is
    planned anew for another."""
    deadline_s: float = 1800.0
    """The longest that one attempt at an intake or a probe may take."""
    chunk_deadline_s: float = 4 * 3600.0
    """The same of a chunk: x265 at its slowest needs over an hour for 240 frames of 4K on a core.
    What hangs is noticed before, by stall_s or as a straggler."""
    preview_deadline_s: float = 120.0
    """The same of a preview: nobody looks at it later."""
    long_deadline_s: float = 6 * 3600.0
    """The same of the sound and the stitch, which are as long as the whole video, and of the
    survey, which encodes some of its chunks many times."""
    stall_s: float = 900.0
    """The longest that a chunk may go without a new frame. Encoders hold back up to 60 frames to
    look ahead, which they encode in one go after the last one was drawn."""
    straggler_s: float = 10.0
    """No attempt is called late before, however fast the others were."""
    retention_s: float = 30 * 86400.0
    """How long a finished video is kept."""
    segment_retention_s: float = 3 * 86400.0
    """How long segments, sounds and findings are kept that nothing under way needs."""
    frames_retention_s: float = 3600.0
    """How long frames are kept without loss for exports that show the same ones."""
    preview_retention_s: float = 3600.0
    """How long a preview is kept after its last use, when nobody can look at it any more."""
    event_retention_s: float = 3600.0
    """How long progress is kept, but for changes of state."""
    delivery_retention_s: float = 30 * 86400.0
    """How long the log of what webhooks were told is kept."""
    log_retention_s: float = 14 * 86400.0
    """How long the logs of attempts are kept."""
    use_retention_s: float = 400 * 86400.0
    """How long it is kept what work took."""
    orphan_s: float = 12 * 3600.0
    """Age at which an object that nothing refers to is removed; no attempt takes as long."""

    def previews_of(self, slots: int) -> int:
        """Previews that a farm of so many slots makes at a time."""
        return max(self.previews, slots // 8)

    def deadline_of(self, kind: str) -> float:
        """The longest that one attempt at a kind of work item may take."""
        match kind:
            case "audio" | "survey" | "stitch":
                return self.long_deadline_s
            case "chunk":
                return self.chunk_deadline_s
            case "preview":
                return self.preview_deadline_s
        return self.deadline_s
