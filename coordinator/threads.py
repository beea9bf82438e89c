"""Work that would keep an event loop from everybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from anyio import to_thread

P = ParamSpec("P")
T = TypeVar("T")

_FEW: Final = 50
"""So many are done in a few milliseconds, about as long as it may take a thread to begin."""


async def beside(count: int, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do what takes long for many things: others are served meanwhile.

    Args:
        count: How many things.
        work: Is done in a thread, or at once where they are few.
        arguments: Of the work.
        named: The same.
    """
    if count <= _FEW:
        return work(*arguments, **named)
    return await to_thread.run_sync(lambda: work(*arguments, **named))
