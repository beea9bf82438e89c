"""How long a chaos run may take, all waiting included."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_TICK_S: Final = 0.05


class ChaosError(Exception):
    """The run could not be carried through; the message says where it stood."""


class Clock:
    """The time that is left."""

    def __init__(self, limit_s: float) -> None:
        """Begin to count."""
        self._limit_s = limit_s
        self._began_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began_s

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return self._limit_s - self.elapsed_s

    def wait_for(
        self,
        look: Callable[[], T | None],
        what: str,
        *,
        within_s: float = 1e9,
        tick_s: float = _TICK_S,
    ) -> T:
        """What ``look`` finds, as soon as it finds anything that counts as true.

        Args:
            look: Asked again and again.
            what: Is waited for, for the message.
            within_s: How long it may take at most.
            tick_s: Seconds between two looks.

        Raises:
            ChaosError: It took too long.
        """
        until_s = time.monotonic() + min(within_s, self.left_s)
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > until_s:
                if self.left_s <= 0:
                    raise ChaosError(
                        f"The whole run may take {self._limit_s:.0f} s (--limit); they were over "
                        f"while waiting for {what}."
                    )
                raise ChaosError(f"Waited {within_s:.0f} s in vain for {what}.")
            time.sleep(tick_s)
