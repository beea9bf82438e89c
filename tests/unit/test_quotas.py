"""What users may have at a time: whose word counts, and what is told."""

from __future__ import annotations

import pytest

from coordinator.quotas import QuotaLimits, check_bytes, check_exports
from shared.errors import QuotaError

GIB = 2**30


def test_what_was_said_for_a_user_outranks_the_settings() -> None:
    defaults = QuotaLimits(running=8, queued=100, stored_bytes=None)
    assert defaults.with_own(None) == defaults
    own = {"user_id": "ada", "running": 0, "queued": None, "stored_bytes": 5}
    assert defaults.with_own(own) == QuotaLimits(running=0, queued=100, stored_bytes=5)


@pytest.mark.parametrize(("unfinished", "count"), [(0, 3), (2, 1), (3, 0)])
def test_as_many_exports_as_are_allowed(unfinished: int, count: int) -> None:
    check_exports(QuotaLimits(queued=3), unfinished, count)
    check_exports(QuotaLimits(queued=None), unfinished * 10**9, count)


def test_one_export_too_many_is_told_with_numbers() -> None:
    with pytest.raises(QuotaError) as caught:
        check_exports(QuotaLimits(queued=20_000), 19_990, 11)
    assert caught.value.message == (
        "20,000 exports that have not ended are allowed at a time: 19,990 are there, and 11 more "
        "were asked for. Wait for some to end, or cancel some."
    )


def test_bytes_fit_or_not() -> None:
    limits = QuotaLimits(stored_bytes=10 * GIB)
    check_bytes(limits, 9 * GIB, GIB)
    check_bytes(limits, 10 * GIB - 1, 0)
    check_bytes(QuotaLimits(), 10**18, 10**18)
    with pytest.raises(QuotaError, match=r"9\.0 GiB are there, and 1\.0 GiB more do not fit"):
        check_bytes(limits, 9 * GIB, GIB + 1)
    with pytest.raises(QuotaError, match=r"10\.0 GiB are there\. Delete files"):
        check_bytes(limits, 10 * GIB, 0)
