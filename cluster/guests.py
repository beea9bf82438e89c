"""Nodes that have joined: each introduces itself before it gets any work."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from cluster.failures import as_midifarm_error
from cluster.introduction import Introduction, Slots, slots_of, why_kept_out
from cluster.nodes import Node
from shared.errors import MidifarmError
from shared.revision import revision

_log = logging.getLogger(__name__)

_WITHIN_S: Final = 60.0
"""A node has said what it is by then: it starts a process and opens an OpenGL context."""
_AGAIN_S: Final = 30.0
"""When a node that could not introduce itself is asked again."""


class Guests:
    """The nodes by their ids; for one thread."""

    def __init__(self, ray: Any, introduce: Any) -> None:
        """Know nobody.

        Args:
            ray: The module, connected.
            introduce: The remote function by which a node introduces itself.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._introduce = introduce
        self._on_node: Any = NodeAffinitySchedulingStrategy
        self._asked: dict[str, tuple[Any, float]] = {}
        """References to answers, and when they were asked for."""
        self._known: dict[str, Introduction] = {}
        self._kept_out: dict[str, str] = {}
        self._slots: dict[str, Slots] = {}
        self._again_s: dict[str, float] = {}

    def greet(self, nodes: Collection[Node]) -> None:
        """Ask who is new, and hear who has answered; returns at once."""
        now_s = time.monotonic()
        living = {node.id: node for node in nodes}
        for book in (self._asked, self._known, self._kept_out, self._slots, self._again_s):
            for gone in book.keys() - living:
                del book[gone]
        for node in nodes:
            if not node.cpus and not node.gpus:
                continue  # a head, or a dispatcher's own
            if node.id in self._asked:
                self._hear(node, now_s)
            elif node.id not in self._known and now_s >= self._again_s.get(node.id, 0.0):
                placed = self._introduce.options(
                    scheduling_strategy=self._on_node(node.id, soft=False)
                )
                self._asked[node.id] = placed.remote(), now_s

    def _hear(self, node: Node, now_s: float) -> None:
        ref, asked_s = self._asked[node.id]
        done, _ = self._ray.wait([ref], timeout=0)
        if not done and now_s - asked_s < _WITHIN_S:
            return
        del self._asked[node.id]
        try:
            said: Introduction = self._ray.get(ref, timeout=0)
        except (self._ray.exceptions.RayError, MidifarmError) as exc:
            self._again_s[node.id] = now_s + _AGAIN_S
            error = as_midifarm_error(exc)
            self._keep_out(node, error.message)
            return
        self._known[node.id] = said
        self._slots[node.id] = slots_of(node.cpus, node.gpus, said.gpu_slots)
        self._kept_out.pop(node.id, None)
        reason = why_kept_out(said, _ourselves())
        if reason is not None:
            self._keep_out(node, reason)
            return
        _log.info(
            "node_joined node=%s name=%s slots=%d pools=%s renderer=%r",
            node.id,
            node.name,
            self._slots[node.id].count,
            ",".join(sorted(said.pools)),
            said.renderer,
        )

    def _keep_out(self, node: Node, reason: str) -> None:
        if self._kept_out.get(node.id) != reason:
            _log.warning("node_kept_out node=%s name=%s reason=%r", node.id, node.name, reason)
        self._kept_out[node.id] = reason

    def known(self, node: Node) -> Node:
        """A node with what it has said of itself."""
        said, reason = self._known.get(node.id), self._kept_out.get(node.id)
        if said is None:
            return replace(node, kept_out=reason)
        return replace(
            node,
            slots=0 if reason else self._slots[node.id].count,
            pools=said.pools,
            engine=said.engine,
            renderer=said.renderer,
            kept_out=reason,
        )

    def slots_of(self, node: str) -> Slots:
        """What each work item takes of a node."""
        return self._slots.get(node) or Slots(count=1, cpu_share=1.0, gpu_share=0.0)


@cache
def _ourselves() -> Introduction:
    from workers.engine import libav

    return Introduction(
        revision=revision(),
        version=version("midifarm"),
        libav=libav(),
        engine="",
        renderer="",
        pools=frozenset(),
        gpu_slots=1,
    )
