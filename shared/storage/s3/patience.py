"""How long, and how often, a failed request is made again."""

from __future__ import annotations

import random
import time
from typing import Final

LONG_S: Final = 30.0
"""A store that restarts, or fails over, is back within 20 s as a rule."""
SHORT_S: Final = 3.0
"""For what may fail without harm, and for whoever waits for the answer."""

_FIRST_S: Final = 0.2
_LONGEST_S: Final = 4.0


class Patience:
    """Waits between attempts: exponential with full jitter, until the time is used up.

    The time counts from the first failure, so that what was long under way is tried again too.
    """

    def __init__(self, total_s: float) -> None:
        """Wait for at most ``total_s`` after the first failure."""
        self._total_s = total_s
        self.reset()

    def reset(self) -> None:
        """Begin anew, after something has succeeded."""
        self._failures = 0
        self._ends_at_s = 0.0

    def wait(self) -> bool:
        """Wait before the next attempt; False at once if there is to be none."""
        now_s = time.monotonic()
        if not self._failures:
            self._ends_at_s = now_s + self._total_s
        most_s = min(_LONGEST_S, _FIRST_S * 2**self._failures)
        self._failures += 1
        delay_s = random.uniform(0, most_s)  # noqa: S311  # it spreads clients, it hides nothing
        if now_s + delay_s > self._ends_at_s:
            return False
        time.sleep(delay_s)
        return True
