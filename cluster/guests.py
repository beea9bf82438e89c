"""Nodes that have joined: each introduces itself before it gets any work."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster.failures import as_midifarm_error
from cluster.introduction import (
    Introduction,
    Question,
    Slots,
    Standing,
    slots_of,
    why_kept_out,
)
from cluster.joining import STORE_MARK, ourselves
from cluster.nodes import Node
from shared.errors import MidifarmError, ObjectNotFoundError
from shared.storage import LocalStore, ObjectStore, open_store

_log = logging.getLogger(__name__)

_WITHIN_S: Final = 60.0
"""A node has said what it is by then: it starts a process and opens an OpenGL context."""
_AGAIN_S: Final = 30.0
"""When a node that could not introduce itself, or was in trouble, is asked again."""


@dataclass(slots=True)
class _Guest:
    """What is known of a node."""

    answer: Any = None
    """What it was asked, while it owes the answer."""
    asked_s: float = 0.0
    again_s: float | None = 0.0
    """When it is asked next; None for never."""
    said: Introduction | None = None
    slots: Slots | None = None
    kept_out: str | None = None
    told: Standing | None = None
    """What its own machine was told last."""


class Guests:
    """The nodes by their ids; for one thread."""

    def __init__(self, ray: Any, tasks: Any, store_url: str, home: str) -> None:
        """Know nobody.

        Args:
            ray: The module, connected.
            tasks: The module of remote functions.
            store_url: The object store that all nodes must share.
            home: Id of the node that this process belongs to.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._tasks = tasks
        self._on_node: Any = NodeAffinitySchedulingStrategy
        self._home = home
        self._store_url = store_url
        self._store = open_store(store_url)
        self._guests: dict[str, _Guest] = {}

    def greet(self, nodes: Collection[Node]) -> None:
        """Ask who is new, and hear who has answered; returns at once."""
        now_s = time.monotonic()
        for gone in self._guests.keys() - {node.id for node in nodes}:
            del self._guests[gone]
        for node in nodes:
            if not node.cpus and not node.gpus:
                continue  # a head, or a dispatcher's own
            guest = self._guests.get(node.id)
            if guest is None:
                guest = self._guests[node.id] = _Guest()
                self._warm_up(node)
            if guest.answer is not None:
                self._hear(node, guest, now_s)
            elif guest.again_s is not None and now_s >= guest.again_s:
                self._ask(node, guest, now_s)

    def _ask(self, node: Node, guest: _Guest, now_s: float) -> None:
        try:
            mark = _mark_of(self._store)
        except MidifarmError as exc:
            _log.warning("store_not_marked error=%s", exc)
            guest.again_s = now_s + _AGAIN_S
            return
        question = Question(store_url=self._store_url, store_mark=mark, gpus=int(node.gpus))
        guest.answer = self._run_on(node, self._tasks.introduce, question)
        guest.asked_s = now_s

    def _warm_up(self, node: Node) -> None:
        """Have the other workers of a node warm up beside the one that introduces it."""
        if node.gpus < 1:  # nobody knows yet how many would share a GPU
            for _ in range(int(node.cpus) - 1):
                self._run_on(node, self._tasks.warm_up)

    def _run_on(self, node: Node, task: Any, *arguments: Any) -> Any:
        placed = task.options(scheduling_strategy=self._on_node(node.id, soft=False))
        return placed.remote(*arguments)

    def _hear(self, node: Node, guest: _Guest, now_s: float) -> None:
        done, _ = self._ray.wait([guest.answer], timeout=0)
        if not done and now_s - guest.asked_s < _WITHIN_S:
            return
        reason: str | None = None
        if done:
            try:
                guest.said = self._ray.get(guest.answer)
            except (self._ray.exceptions.RayError, MidifarmError) as exc:
                reason = (
                    f"It could not say what it is: {as_midifarm_error(exc).message} Is the same "
                    "midifarm installed there?"
                )
        else:
            reason = f"It has not said what it is within {_WITHIN_S:.0f} s."
        guest.answer = None
        if guest.said is not None:
            guest.slots = slots_of(node.cpus, node.gpus, guest.said.gpu_slots)
            # What is installed at home is what we are; to look takes a moment, and imports libav.
            ours = guest.said if node.id == self._home else ourselves()
            reason = why_kept_out(guest.said, ours, node.gpus)
        guest.kept_out = reason
        in_trouble = guest.said is None or guest.said.trouble is not None
        guest.again_s = now_s + _AGAIN_S if in_trouble else None
        self._tell(node, guest)

    def _tell(self, node: Node, guest: _Guest) -> None:
        """Say how a node stands: to those who read our log, and on its own machine."""
        known = self.known(node)
        standing = Standing(
            state="kept_out" if guest.kept_out else "joined",
            reason=guest.kept_out,
            slots=known.slots,
            pools=tuple(sorted(known.pools)),
            renderer=known.renderer,
        )
        if guest.said is None or guest.said.has_folder:
            self._run_on(node, self._tasks.hear_standing, standing)
        if standing == guest.told:
            return
        guest.told = standing
        if guest.kept_out is not None:
            _log.warning(
                "node_kept_out node=%s name=%s reason=%r", node.id, node.name, guest.kept_out
            )
        else:
            _log.info(
                "node_joined node=%s name=%s slots=%d pools=%s renderer=%r",
                node.id,
                node.name,
                standing.slots,
                ",".join(standing.pools),
                standing.renderer,
            )

    def known(self, node: Node) -> Node:
        """A node with what it has said of itself."""
        guest = self._guests.get(node.id)
        if guest is None or guest.said is None or guest.slots is None:
            return replace(node, kept_out=guest.kept_out if guest else None)
        return replace(
            node,
            slots=0 if guest.kept_out else guest.slots.count,
            pools=guest.said.pools,
            engine=guest.said.engine or None,
            renderer=guest.said.renderer,
            kept_out=guest.kept_out,
        )

    def slots_of(self, node: str) -> Slots:
        """What each work item takes of a node."""
        guest = self._guests.get(node)
        found = guest.slots if guest else None
        return found or Slots(count=1, cpu_share=1.0, gpu_share=0.0)


def _mark_of(store: ObjectStore) -> str | None:
    """What every node must find in the store; None for a bucket, of which there is only one.

    Raises:
        StorageError: The folder cannot be used.
    """
    if not isinstance(store, LocalStore):
        return None
    with suppress(ObjectNotFoundError):
        return store.get_bytes(STORE_MARK).decode("ascii", "replace")
    store.put_bytes(STORE_MARK, secrets.token_hex(16).encode("ascii"))
    return store.get_bytes(STORE_MARK).decode("ascii", "replace")
