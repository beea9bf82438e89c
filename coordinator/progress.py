"""How far an export is, as one number. Pure.

Planning and sound share the first percent or two, frames are the bulk, stitching and storing the
rest; 1 only when the video can be downloaded.
"""

from __future__ import annotations

from typing import Final

PLANNED: Final = 0.02
"""When the plan stands."""
RENDERED: Final = 0.95
"""When all frames are done."""
SPAN: Final = RENDERED - PLANNED
"""What the frames make up."""


def progress_of(frames_done: int, frames: int) -> float:
    """Progress while rendering."""
    return PLANNED + SPAN * min(frames_done, frames) / frames
