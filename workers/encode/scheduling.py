"""Keeping encoders from taking the machine for themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def ordinary_scheduling() -> Iterator[None]:
    """See that every thread of this process is scheduled as the caller was before the block.

    SVT-AV1 (4.1), where it may, as root may in most containers, gives its threads and its caller
    the highest real-time priority. Whatever they start inherits it, and everything else on the
    machine, Ray's heartbeats among them, waits until they are done.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):
                if os.sched_getscheduler(int(thread.name)) != policy:
                    os.sched_setscheduler(int(thread.name), policy, parameters)
