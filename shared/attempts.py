"""What happens after a failed attempt: a pure decision."""

from __future__ import annotations

from typing import Final

from shared.errors import ErrorKind

SUSPECT_LIMIT: Final = 3
"""After so many suspect failures the work itself is held to be the cause."""
TRANSIENT_LIMIT: Final = 20
"""Transient failures use up no attempt, but a farm that always fails must be noticed."""


def may_retry(kind: ErrorKind, *, suspect: int, transient: int) -> bool:
    """Whether work is tried again.

    Args:
        kind: Of the error that ended the attempt.
        suspect: Suspect failures of this work so far, this one included.
        transient: Transient failures so far, this one included.
    """
    match kind:
        case ErrorKind.PERMANENT:
            return False
        case ErrorKind.SUSPECT:
            return suspect < SUSPECT_LIMIT
        case ErrorKind.TRANSIENT:
            return transient < TRANSIENT_LIMIT


def back_off_s(*, suspect: int, transient: int) -> float:
    """How long work rests after a failure, so that its surroundings can recover.

    Doubles from half a second to half a minute; the counts as in may_retry.
    """
    return float(min(30.0, 0.5 * 2 ** max(0, suspect + transient - 1)))
