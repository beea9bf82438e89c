"""Ending tasks of an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_S: Final = 0.2


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, as often as it takes, and wait until all have ended, however they do.

    A cancellation that comes in the moment in which what a task waits for happens is lost in
    Python's ``wait_for`` before 3.12, which psycopg uses: the task would go on for ever.
    """
    ending = list(tasks)
    while pending := [task for task in ending if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_AGAIN_S)
    await asyncio.gather(
        *ending, return_exceptions=True
    )  # nobody else may ask for what they raised
