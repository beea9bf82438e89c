"""What happens after a failed attempt, for every kind of error and every count that matters."""

from __future__ import annotations

import pytest

from shared.attempts import SUSPECT_LIMIT, TRANSIENT_LIMIT, may_retry
from shared.errors import ErrorKind

PERMANENT, SUSPECT, TRANSIENT = ErrorKind.PERMANENT, ErrorKind.SUSPECT, ErrorKind.TRANSIENT


@pytest.mark.parametrize(
    ("kind", "suspect", "transient", "again"),
    [
        # kind      suspect  transient  again
        (PERMANENT, 0, 0, False),
        (PERMANENT, 2, 0, False),
        (PERMANENT, 0, 19, False),
        (SUSPECT, 1, 0, True),
        (SUSPECT, 2, 0, True),
        (SUSPECT, 3, 0, False),
        (SUSPECT, 4, 0, False),
        (SUSPECT, 1, 19, True),  # a bad farm is not held against the work
        (SUSPECT, 3, 19, False),
        (TRANSIENT, 0, 1, True),
        (TRANSIENT, 0, 3, True),  # uses up no attempt
        (TRANSIENT, 2, 3, True),
        (TRANSIENT, 0, 19, True),
        (TRANSIENT, 0, 20, False),
        (TRANSIENT, 2, 21, False),
    ],
)
def test_whether_work_is_tried_again(
    kind: ErrorKind, suspect: int, transient: int, again: bool
) -> None:
    assert may_retry(kind, suspect=suspect, transient=transient) is again


def test_the_limits_are_three_and_twenty() -> None:
    assert (SUSPECT_LIMIT, TRANSIENT_LIMIT) == (3, 20)


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_is_decided_and_ends(kind: ErrorKind) -> None:
    assert may_retry(kind, suspect=100, transient=100) is False
