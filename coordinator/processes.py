"""What a parent does so that no child outlives it.

A child asks the kernel for a signal at its parent's death; a parent adopts what its children
leave behind when they die, and ends it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import MidifarmError

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
"""Both from linux/prctl.h."""

_KILL_WITHIN_S: Final = 5.0
"""What SIGKILL has not ended by then hangs in the kernel, and nobody can end it."""
_TICK_S: Final = 0.02

# Bound here, since between fork and exec nothing may be loaded.
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from a later one that gets the same number."""

    pid: int
    """Its number."""
    started: int
    """When it was started, in clock ticks since boot (proc(5), field 22 of stat)."""


@dataclass(frozen=True, slots=True)
class _Status:
    parent: int
    started: int
    state: str


def die_with_parent(on_death: int, parent: int | None = None) -> None:
    """Have the kernel send this process a signal when its parent dies, even by SIGKILL.

    To be called in the child: as ``preexec_fn``, or as the first thing that it does. The signal
    comes when the *thread* that started the child ends, so start children in a thread that
    lives as long as they may.

    Args:
        on_death: The signal.
        parent: The parent's process number, taken before the child was started. The child ends
            at once if that parent has died before it could ask.

    Raises:
        OSError: The kernel refused.
    """
    _prctl(_PR_SET_PDEATHSIG, int(on_death))
    if parent is not None and os.getppid() != parent:
        os._exit(128 + on_death)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies.

    Raises:
        OSError: The kernel refused.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(pid: int, *, spare: Collection[int] = ()) -> set[Process]:
    """Every process below ``pid``, dead ones that nobody has waited for included.

    Args:
        pid: Not itself part of the answer.
        spare: Processes to leave out, with all that is below them.
    """
    children: dict[int, list[Process]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208  # many times cheaper than paths
        if entry.isdecimal() and (status := _status(int(entry))) is not None:
            process = Process(int(entry), status.started)
            children.setdefault(status.parent, []).append(process)
    found: set[Process] = set()
    above = [pid]
    while above:
        for process in children.get(above.pop(), []):
            if process.pid not in spare and process not in found:
                found.add(process)
                above.append(process.pid)
    return found


def end_descendants(
    pid: int | None = None, *, spare: Collection[int] = (), grace_s: float = 5.0
) -> None:
    """End everything below a process: SIGTERM, after a grace SIGKILL; then reap what is ours.

    Call adopt_orphans() long before: otherwise what a child leaves behind is no longer below us.

    Args:
        pid: The process, which is not ended itself; None means this one.
        spare: Processes to let live, with all that is below them. A child of this process that
            somebody else waits for, such as a Popen, belongs here even when it is dead.
        grace_s: Seconds from SIGTERM to SIGKILL.

    Raises:
        MidifarmError: Some could not be ended.
    """
    root = os.getpid() if pid is None else pid
    asked: set[Process] = set()
    began_s = time.monotonic()
    while living := _reap(descendants(root, spare=spare)):
        elapsed_s = time.monotonic() - began_s
        if elapsed_s > grace_s + _KILL_WITHIN_S:
            pids = ", ".join(str(process.pid) for process in living)
            raise MidifarmError(f"These processes could not be ended: {pids}. End them by hand.")
        for process in living:
            if elapsed_s > grace_s:
                send(process, signal.SIGKILL)
            elif process not in asked:
                asked.add(process)
                send(process, signal.SIGTERM)
        time.sleep(_TICK_S)


def visible() -> set[Process]:
    """Every process that this one can see: all of them, or those of its user."""
    found = set()
    for entry in os.listdir("/proc"):  # noqa: PTH208  # many times cheaper than paths
        if entry.isdecimal() and (status := _status(int(entry))) is not None:
            found.add(Process(int(entry), status.started))
    return found


def marked(variable: str, value: str) -> set[Process]:
    """All processes that were started with a variable in their environment, and those below them.

    Args:
        variable: Its name.
        value: Its value.
    """
    mark = os.fsencode(f"{variable}={value}")
    found = set[Process]()
    for process in visible():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            if mark in Path("/proc", str(process.pid), "environ").read_bytes().split(b"\0"):
                found |= {process, *descendants(process.pid)}
    return found


def end_marked(variable: str, value: str, *, polite_s: float) -> None:
    """Wait until all that carries a mark has ended, as it should; kill what has not by then.

    Args:
        variable: As marked() takes it.
        value: As marked() takes it.
        polite_s: How long to wait before that.

    Raises:
        MidifarmError: Something cannot be ended.
    """
    began_s = time.monotonic()
    while left := marked(variable, value):
        elapsed_s = time.monotonic() - began_s
        if elapsed_s > polite_s + _KILL_WITHIN_S:
            pids = ", ".join(str(process.pid) for process in left)
            raise MidifarmError(f"These processes could not be ended: {pids}. End them by hand.")
        if elapsed_s > polite_s:
            for process in left:
                send(process, signal.SIGKILL)
        time.sleep(_TICK_S)


def _reap(processes: set[Process]) -> set[Process]:
    """Wait for the dead among them; those that are alive."""
    living = set()
    for process in processes:
        status = _status(process.pid)
        if status is None or status.started != process.started:
            continue
        if status.state not in "ZX":
            living.add(process)
        elif status.parent == os.getpid():
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                continue  # another thread was faster
    return living


def send(process: Process, number: signal.Signals) -> None:
    """Signal a process unless it has ended; a later one with its number is left alone."""
    status = _status(process.pid)
    if status is not None and status.started == process.started:
        try:
            os.kill(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # it has ended, or ended up as somebody else's; the caller's deadline tells


def _status(pid: int) -> _Status | None:
    """What proc(5) says of a process; None if there is none."""
    try:
        text = Path("/proc", str(pid), "stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may hold anything; the fields after it are numbers.
    fields = text.rpartition(b")")[2].split()
    return _Status(parent=int(fields[1]), started=int(fields[19]), state=fields[0].decode())


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
