"""The node of this machine, found among its processes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.introduction import NODE_DIR_VARIABLE
from coordinator.node.folder import MARK, supervisor_in
from coordinator.processes import Process, send, visible
from shared.errors import MidifarmError

_RAYLET: Final = b"/raylet"
_TICK_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHere:
    """A node that runs on this machine."""

    id: str
    """Ray's id of it."""
    head: str
    """HOST:PORT of its cluster's head."""
    raylet: Process
    """Its first process."""
    supervisor: int | None
    """The process of ours that supervises it; None where somebody else has started it."""

    def end(self, within_s: float) -> None:
        """Have its supervisor end it, and wait for that; what somebody else has started goes on.

        Raises:
            MidifarmError: It does not end.
        """
        if self.supervisor is None:
            return
        os.kill(self.supervisor, signal.SIGTERM)
        until_s = time.monotonic() + within_s
        while Path("/proc", str(self.supervisor)).exists():
            if time.monotonic() > until_s:
                raise MidifarmError(
                    f"The node did not end within {within_s:.0f} s; end process {self.supervisor} "
                    "by hand."
                )
            time.sleep(_TICK_S)
        send(self.raylet, signal.SIGKILL)  # it has ended, unless its supervisor was killed


def node_here(folder: Path) -> NodeHere | None:
    """The node of a folder; None where there is none.

    One that somebody else has started, as KubeRay does, is found by the variable that names it.

    Args:
        folder: As the node was started with.
    """
    path = folder.absolute()
    mark, named = (os.fsencode(f"{each}={path}") for each in (MARK, NODE_DIR_VARIABLE))
    found: NodeHere | None = None
    for process in visible():
        try:
            place = Path("/proc", str(process.pid))
            program, *words = (place / "cmdline").read_bytes().split(b"\0")
            if not program.endswith(_RAYLET):
                continue
            environment = (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended, or is somebody else's
        is_ours = mark in environment
        if not is_ours and named not in environment:
            continue
        options = dict(word.decode(errors="replace").partition("=")[::2] for word in words)
        node = NodeHere(
            id=options["--node_id"],
            head=options["--gcs-address"],
            raylet=process,
            supervisor=supervisor_in(path) if is_ours else None,
        )
        if is_ours:
            return node
        found = node
    return found
