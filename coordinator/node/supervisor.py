"""The supervisor of a node: ``midifarm cluster head``, ``join`` and ``beside``.

::

    join ── ray start ── raylet ── workers

No Ray runs in this process. A node that ends, because it was cut off or its head has lost what it
knew, is started again, with ever longer pauses; one that the dispatcher keeps out is not. However
we die, the kernel tells the node, which ends; whoever starts in the same folder waits for that.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from cluster.head import check_head
from cluster.introduction import Standing, wants_nothing
from cluster.node import NodeSpec, ray_folder, start_command, start_environment
from coordinator.node.folder import NodeFolder
from coordinator.processes import adopt_orphans, descendants, die_with_parent, end_descendants
from coordinator.serve.child import Child
from coordinator.serve.signals import Signals, StopRequested
from shared.errors import ClusterError, InputError
from shared.pools import DEFAULT_POOL

_log = logging.getLogger(__name__)

Tell = Callable[[str], None]
"""Given a line for people."""

_STARTED: Final = "Ray runtime started."
"""What Ray says when a node is up."""
_NODE_ENDED: Final = "The node has ended: it was cut off, or its head is gone. It joins again."
_HEAD_ENDED: Final = "The head has ended, and is started again."
_START_S: Final = 90.0
_STOP_S: Final = 6.0
"""What a polite end takes of a node; then it is killed."""
_COMMAND_STOP_S: Final = 20.0
_LEFTOVERS_S: Final = 1.0
_LOOK_S: Final = 0.25


def run_node(spec: NodeSpec, tell: Tell) -> None:
    """Run a node until SIGTERM, SIGINT or SIGHUP; call it in the main thread.

    Args:
        spec: What it is started with.
        tell: Told when it is up, what becomes of it, and what the dispatcher says of it.

    Raises:
        ClusterError: It could not be started.
        InputError: It cannot be part of the cluster; the message says what to change.
    """
    with Signals() as signals, contextlib.ExitStack() as stack:
        adopt_orphans()
        try:
            with signals.interrupting():
                node = stack.enter_context(_Node(spec, signals))
                node.start()
                tell(_is_up(spec))
                node.watch(tell)
        except StopRequested:
            return


def run_beside(spec: NodeSpec, command: Sequence[str]) -> int:
    """Run a command beside a node, through which it reaches the cluster; both end together.

    Returns:
        The exit status of the command; 75 (try again) where the node was lost.

    Raises:
        ClusterError: The node could not be started.
        InputError: It cannot be part of the cluster, or there is no such command.
    """
    with Signals() as signals, contextlib.ExitStack() as stack:
        adopt_orphans()
        try:
            with signals.interrupting():
                node = stack.enter_context(_Node(spec, signals))
                node.start()
        except StopRequested:
            return 128 + signal.SIGTERM
        process = _started(command)
        while process.poll() is None and node.lives and not signals.stops:
            signals.wait(_LOOK_S)
            node.reap(spare=process.pid)
        is_lost = not node.lives
        _end(process, signals)
        if is_lost:
            return os.EX_TEMPFAIL
        return process.returncode if process.returncode >= 0 else 128 - process.returncode


class _Node:
    """One node, started as often as it takes; a context manager that ends it."""

    def __init__(self, spec: NodeSpec, signals: Signals) -> None:
        self._spec = spec
        self._signals = signals
        self._folder = NodeFolder(spec.folder)
        self._child = Child(
            "node",
            start_command(spec),
            log=self._folder.log,
            environment={**os.environ, **start_environment(spec), **self._folder.mark},
        )
        self._holder: Child | None = None
        """Repeats that the node wants nothing more, as long as it does."""

    def __enter__(self) -> _Node:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._folder.close()

    @property
    def lives(self) -> bool:
        return self._child.poll() is None

    def start(self) -> None:
        """Start it, and wait until it is part of the cluster."""
        Standing.forget(self._spec.folder)
        # Left by a node that was killed, which Ray would believe to be still running.
        (ray_folder(self._spec) / "ray_current_cluster").unlink(missing_ok=True)
        self._child.start()
        until_s = time.monotonic() + _START_S
        while not self._child.has_said(_STARTED):
            if not self.lives:
                raise ClusterError(f"The node did not start: {self._child.last_words()}")
            if time.monotonic() > until_s:
                raise ClusterError(
                    f"The node was not up within {_START_S:.0f} s: {self._child.last_words()}"
                )
            self._signals.wait(_LOOK_S)

    def watch(self, tell: Tell) -> None:
        """Start it again whenever it ends, until a signal comes.

        Raises:
            InputError: The dispatcher keeps it out from the first, or the cluster is another one
                by now.
        """
        told: Standing | None = None
        # A head is more than its slots; and what was fine before may be fine again.
        may_stay = self._spec.head is None
        while True:
            self._signals.wait(_LOOK_S)
            self.reap()
            if not self.lives:
                told = None
                self._start_again(tell)
            self._hold_back()
            standing = Standing.read(self._spec.folder)
            if standing is not None and standing != told:
                may_stay = may_stay or standing.state == "joined"
                if not may_stay:
                    raise InputError(_verdict(standing))
                tell(_verdict(standing))
            told = standing

    def _hold_back(self) -> None:
        """See that a node that drains goes on to, whichever dispatcher comes."""
        wish = wants_nothing(self._spec.folder)
        if self._holder is not None and self._holder.poll() is not None:
            self._holder = None
        if wish and self._holder is None:
            command = (sys.executable, "-P", "-m", "coordinator.node.draining", self._spec.folder)
            self._holder = Child(
                "drain",
                list(map(str, command)),
                log=self._folder.path / "drain.log",
                environment={**os.environ, **start_environment(self._spec), **self._folder.mark},
            )
            self._holder.start()

    def _start_again(self, tell: Tell) -> None:
        self._end_leftovers()
        tell(_HEAD_ENDED if self._spec.head is None else _NODE_ENDED)
        said = ""
        while True:
            self._pause()
            try:
                if self._spec.head is not None:
                    check_head(self._spec.head)
                self.start()
            except ClusterError as exc:
                self._end_leftovers()
                if exc.message != said:
                    tell(exc.message)
                said = exc.message
            else:
                tell(_is_up(self._spec))
                return

    def _pause(self) -> None:
        until_s = time.monotonic() + self._child.next_pause_s()
        while (left_s := until_s - time.monotonic()) > 0:
            self._signals.wait(left_s)

    def _stop(self) -> None:
        asked = self._signals.stops
        until_s = time.monotonic() + _STOP_S
        self._child.send(signal.SIGTERM)
        while self._child.pid is not None and self.lives:
            # Who asks a second time does not want to wait.
            if time.monotonic() > until_s or self._signals.stops > asked:
                self._child.send(signal.SIGKILL)
            self._signals.wait(_LOOK_S)
        end_descendants(grace_s=_LEFTOVERS_S)

    def _end_leftovers(self) -> None:
        """End what a node that has died has left, and what it had in its folder."""
        if self._child.pid is not None and self.lives:
            self._child.send(signal.SIGKILL)
        end_descendants(grace_s=_LEFTOVERS_S)
        shutil.rmtree(ray_folder(self._spec), ignore_errors=True)

    def _known(self) -> list[int]:
        """The processes that somebody else waits for."""
        return [each.pid for each in (self._child, self._holder) if each and each.pid]

    def reap(self, spare: int = 0) -> None:
        """Wait for orphans that have died as our children, but for one that somebody waits for."""
        for process in descendants(os.getpid(), spare=[spare, *self._known()]):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def _is_up(spec: NodeSpec) -> str:
    slots = f"{spec.slots.count} {'slot' if spec.slots.count == 1 else 'slots'}"
    if spec.head is None:
        return (
            f"The head of the cluster is up, with {slots}. Other machines join it with: "
            f"midifarm cluster join {spec.head_address}"
        )
    pools = ", ".join(spec.pools or (DEFAULT_POOL,))
    return f"{spec.address} has joined {spec.head} with {slots} in {pools}."


def _verdict(standing: Standing) -> str:
    if standing.state == "kept_out":
        return f"The dispatcher keeps this node out. {standing.reason}"
    return f"The dispatcher has accepted the node. {standing.renderer} draws on it."


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            # Ctrl+C in a terminal is for us.
            start_new_session=True,
            preexec_fn=functools.partial(die_with_parent, signal.SIGTERM, os.getpid()),
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise InputError(f"{command[0]} cannot be started: {exc}.") from exc


def _end(process: subprocess.Popen[bytes], signals: Signals) -> None:
    asked = signals.stops
    until_s = time.monotonic() + _COMMAND_STOP_S
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    while process.poll() is None:
        if time.monotonic() > until_s or signals.stops > asked:
            process.kill()
        signals.wait(_LOOK_S)
