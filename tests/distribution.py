"""How test processes share the suite: ``pytest --numprocesses 2``.

A module stays in one process, where its tests share what they have made. All modules that start a
Ray stay in one as well: a Ray takes the whole machine, and the tests of one tell how long things
may take. They begin, being longest, beside tests that compute; the short ones of ``unit``, which
come last, let all processes end at one time.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

_ROOT = Path(__file__).parents[1]


class Distribution(LoadScopeScheduling):
    """Gives the next group of tests to the process that is through with its last."""

    def _split_scope(self, nodeid: str) -> str:
        """The name of the group that a test belongs to."""
        module = nodeid.partition("::")[0]
        return "ray" if starts_ray(module) else module


def put_longest_first(items: list[pytest.Item]) -> None:
    """Put the tests into the order in which groups are given out."""
    items.sort(key=lambda item: not starts_ray(item.nodeid.partition("::")[0]))


@cache
def starts_ray(module: str) -> bool:
    """Whether a module is marked so. Only the processes that run tests see the marks themselves."""
    return "pytest.mark.ray" in (_ROOT / module).read_text("utf-8")
