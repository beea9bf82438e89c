"""Object keys of attempts."""

from __future__ import annotations

import pytest

from shared.keys import attempt_key, audio_key, segment_key
from shared.storage.keys import check_key

CONTENT = "ab" * 32


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("segments/ab/abcd.mp4", "segments/ab/abcd.a17.mp4"),
        ("assets/ab/abcd", "assets/ab/abcd.a17"),
        ("whole.tar.gz", "whole.tar.a17.gz"),
        ("a.b/c", "a.b/c.a17"),
    ],
)
def test_an_attempt_writes_beside_the_others(key: str, expected: str) -> None:
    assert attempt_key(key, "a17") == expected
    check_key(expected)


def test_no_two_attempts_share_a_key() -> None:
    keys = {
        attempt_key(key, attempt)
        for key in (segment_key(CONTENT), audio_key(CONTENT))
        for attempt in ("a1", "a2", "1", "b_1", "b-1")
    }
    assert len(keys) == 10
    assert segment_key(CONTENT) not in keys


@pytest.mark.parametrize("attempt", ["", "a/b", "a.b", "..", "ä", "a b", "a" * 65])
def test_other_names_are_refused(attempt: str) -> None:
    with pytest.raises(ValueError, match="no name of an attempt"):
        attempt_key("segments/ab/abcd.mp4", attempt)
