"""The nodes of a cluster, watched from a thread: asking Ray may take long when it is in trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import ClusterLostError

_INTERVAL_S: Final = 1.0
LOST_AFTER_S: Final = 10.0
"""A cluster that has not answered for so long may come back, but not for this process: what it
submits after that was seen to hang."""
_FIRST_ANSWER_S: Final = 30.0
_GONE_S: Final = 10.0
"""What a node's work has told of its end is true for so long; then the list knows it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A living node."""

    id: str
    """Ray's id, new with every start of the node."""
    name: str
    """Host name or address, for people."""
    cpus: float
    """Processors that it offers."""
    gpus: float
    """GPUs that it offers."""
    alive: bool = True
    """Whether it is there."""
    slots: int = 0
    """Work items that it does at a time; 0 until it has introduced itself, or is kept out."""
    pools: frozenset[str] = frozenset()
    """Names of the pools that it serves."""
    engine: str | None = None
    """What draws and encodes on it; None until it has said so."""
    renderer: str | None = None
    """The part of it that draws."""
    kept_out: str | None = None
    """Why it gets no work; None where it may have some."""
    is_leaving: bool = False
    """Whether it has asked for nothing more itself."""


class NodeWatch:
    """Knows the living nodes; a context manager."""

    def __init__(
        self, list_nodes: Callable[[], list[dict[str, Any]]], home: str | None = None
    ) -> None:
        """Begin to watch.

        Args:
            list_nodes: ray.nodes, or what answers like it.
            home: Id of the node through which this process reaches the cluster.
        """
        self._list = list_nodes
        self._home = home
        self._is_homeless = False
        self._nodes: tuple[Node, ...] = ()
        self._gone: dict[str, float] = {}
        self._lost = False
        self._heard_s = time.monotonic()
        self._answered = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="node-watch", daemon=True)
        self._thread.start()

    def __enter__(self) -> NodeWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop asking; a second time does no harm."""
        self._stop.set()
        self._thread.join(timeout=LOST_AFTER_S)

    def nodes(self) -> tuple[Node, ...]:
        """The living nodes, as of a second or two ago.

        Raises:
            ClusterLostError: Ray has not answered for too long.
        """
        if not self._answered.wait(_FIRST_ANSWER_S):
            raise ClusterLostError("Ray does not tell its nodes; is its head node running?")
        self.check()
        now_s = time.monotonic()
        return tuple(
            node for node in self._nodes if now_s - self._gone.get(node.id, -_GONE_S) >= _GONE_S
        )

    def note_gone(self, node_id: str) -> None:
        """Leave a node out from now on: its work has failed because it is dead."""
        self._gone[node_id] = time.monotonic()

    def check(self) -> None:
        """Make sure that Ray still answers.

        Raises:
            ClusterLostError: It has not answered for too long, or our own node is gone.
        """
        if self._is_homeless:
            raise ClusterLostError(
                "Ray has died on this machine; a fresh process must connect anew."
            )
        silent_s = time.monotonic() - self._heard_s
        if self._lost or (self._answered.is_set() and silent_s > LOST_AFTER_S + _INTERVAL_S):
            self._lost = True
            raise ClusterLostError(
                f"Ray has not answered for {LOST_AFTER_S:.0f} s; a fresh process must connect anew."
            )

    def _watch(self) -> None:
        while not self._stop.is_set():
            asked_s = time.monotonic()
            try:
                found = self._list()
            except Exception:  # Ray raises many kinds; silence tells the same
                found = None
            now = time.monotonic()
            if found is not None:
                self._lost = self._lost or now - asked_s > LOST_AFTER_S
                self._nodes = tuple(node_of(plain) for plain in found if plain["Alive"])
                # A head that was away for a moment answers again, but not for the likes of us.
                if self._home is not None:
                    ids = {node.id for node in self._nodes}
                    self._is_homeless = self._is_homeless or self._home not in ids
                self._heard_s = now
                self._answered.set()
            self._stop.wait(_INTERVAL_S)


def node_of(plain: dict[str, Any]) -> Node:
    """A node by what ray.nodes tells of it."""
    resources = plain.get("Resources", {})
    return Node(
        id=plain["NodeID"],
        name=plain.get("NodeManagerHostname") or plain.get("NodeManagerAddress", ""),
        cpus=float(resources.get("CPU", 0)),
        gpus=float(resources.get("GPU", 0)),
    )
