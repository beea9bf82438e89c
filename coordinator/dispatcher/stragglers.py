"""Which attempts take far longer than the others of their export. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping
from typing import Final

MOST: Final = 0.75
"""Part of an export's chunks that must be done before anything is called late."""
FACTOR: Final = 3.0
"""How many times the median an attempt may take."""


def stragglers(
    running_s: Mapping[int, float],
    took_s: Collection[float],
    *,
    done: int,
    total: int,
    least_s: float,
) -> list[int]:
    """The attempts that deserve a second one beside them.

    Args:
        running_s: How long each chunk's attempt has run, by attempt.
        took_s: How long chunks of this export took.
        done: Chunks done.
        total: Chunks of the export.
        least_s: No attempt is called late before.
    """
    if not took_s or done < MOST * total:
        return []
    limit_s = max(least_s, FACTOR * statistics.median(took_s))
    return [attempt for attempt, age_s in running_s.items() if age_s > limit_s]
