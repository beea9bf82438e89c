"""Signals as a supervisor needs them: waited for, and never lost."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, Self

_STOP: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody wants this process to end."""


class Signals:
    """Notes requests to stop, and children that died. Use it in ``with``, in the main thread."""

    def __init__(self) -> None:
        """Prepare; nothing is changed yet."""
        self.stops = 0
        """How many requests to stop have come."""
        self._raising = False
        self._before: dict[signal.Signals, Any] = {}
        self._read = self._write = -1
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in _STOP:
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
                self._before[number] = signal.signal(number, self._stop)
        # Without a handler of its own it would wake nobody.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read)
        os.close(self._write)

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Have a request to stop raise StopRequested inside the block, also one before it."""
        self._raising = True
        try:
            if self.stops:
                raise StopRequested
            yield
        finally:
            self._raising = False

    def wait(self, timeout_s: float) -> None:
        """Wait for a signal, or until the time is up."""
        select.select([self._read], [], [], max(0.0, timeout_s))
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 512):
                pass

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stops += 1
        if self._raising:
            self._raising = False  # once: what unwinds now must not be broken off itself
            raise StopRequested
