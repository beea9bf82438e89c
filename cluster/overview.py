"""The nodes of a cluster as one of its machines sees them, whoever dispatches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cluster.introduction import Standing
from cluster.nodes import Node, node_of

_WITHIN_S: Final = 10.0
"""A node that has not answered by then does not; it starts a process for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node, and how it says that it stands."""

    node: Node
    """What Ray knows of it."""
    address: str
    """Of its machine."""
    is_head: bool
    """Whether it is the head of the cluster."""
    answers: bool
    """Whether it has said anything; those that offer nothing are not asked."""
    standing: Standing | None
    """What its dispatcher has told it; None before that."""
    is_leaving: bool
    """Whether it wants nothing more."""

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if not self.node.cpus and not self.node.gpus:
            return "no slots"
        if not self.answers:
            return "does not answer"
        if self.standing is None:
            return "no dispatcher has looked at it yet"
        if self.standing.reason is not None:
            return f"kept out: {self.standing.reason}"
        return "leaving" if self.is_leaving else "ready"


def look_around() -> list[NodeView]:
    """The living nodes, in the order of their addresses, the head first.

    Call it in a process that is connected to the cluster (cluster.session.ray_session).
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from cluster import tasks

    list_nodes: Callable[[], list[dict[str, Any]]] = ray.nodes
    living = [plain for plain in list_nodes() if plain["Alive"]]
    asked = {}
    for plain in living:
        node = node_of(plain)
        if node.cpus or node.gpus:
            here = NodeAffinitySchedulingStrategy(node.id, soft=False)
            ref = tasks.tell_standing.options(scheduling_strategy=here).remote()
            asked[node.id] = ref
    done = set()
    if asked:
        ready, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=_WITHIN_S)
        done = set(ready)
    views = []
    for plain in living:
        node = node_of(plain)
        standing, is_leaving, answers = None, False, False
        if asked.get(node.id) in done:
            try:
                standing, is_leaving = ray.get(asked[node.id])
                answers = True
            except ray.exceptions.RayError:
                pass  # it has gone while it was asked
        views.append(
            NodeView(
                node=node,
                address=plain["NodeManagerAddress"],
                is_head="node:__internal_head__" in plain["Resources"],
                answers=answers,
                standing=standing,
                is_leaving=is_leaving,
            )
        )
    return sorted(views, key=lambda view: (not view.is_head, view.address, view.node.id))
