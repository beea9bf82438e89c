"""Waiting for a database that failed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

_log = logging.getLogger(__name__)

_WAITS_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


async def back_off(action: str, failures: int, exc: Exception) -> int:
    """Wait, longer after each failure in a row.

    Args:
        action: What failed, as a word for the log.
        failures: How often it has failed before.
        exc: Why it failed.

    Returns:
        How often it has failed now.
    """
    wait_s = _WAITS_S[min(failures, len(_WAITS_S) - 1)]
    _log.warning("%s again_in_s=%s error=%s", action, wait_s, exc)
    await asyncio.sleep(wait_s)
    return failures + 1
