"""Nodes and pools as tables, for operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Column, Table

from coordinator.cli.tables import cell
from coordinator.client import FarmNode, FarmPool

ID_SHOWN: Final = 12
"""How much of a node's id is shown; the whole is of no use to people."""


def nodes_table(nodes: Sequence[FarmNode]) -> Table:
    """Nodes, what they have room for and serve, and whether they take work."""
    numbers = (Column(name, justify="right") for name in ("slots", "running"))
    table = Table("node", "id", *numbers, "pools", "renderer", "state", box=None)
    for node in nodes:
        table.add_row(
            cell(node.name),
            node.id[:ID_SHOWN],
            str(node.slots),
            str(node.running),
            cell(", ".join(node.pools)),
            cell(node.renderer or ""),
            cell(state_of(node)),
        )
    return table


def state_of(node: FarmNode) -> str:
    """Whether a node takes work, in words."""
    if node.kept_out is not None:
        return f"kept out: {node.kept_out}"
    if node.is_leaving:
        return "leaving"
    if node.draining_at is not None:
        return "draining"
    if node.set_aside_until is not None:
        return f"set aside until {node.set_aside_until:%H:%M} UTC"
    if node.engine is None:
        # The head of a cluster, and a dispatcher's own node, offer nothing.
        return "starting" if node.cpus or node.gpus else "takes no work"
    return "open"


def pools_table(pools: Sequence[FarmPool]) -> Table:
    """Pools, who serves them, and what waits and runs in each."""
    names = ("nodes", "slots", "waiting", "running")
    table = Table("pool", *(Column(name, justify="right") for name in names), "", box=None)
    for pool in pools:
        counts = (pool.nodes, pool.slots, pool.waiting, pool.running)
        note = "" if pool.slots else "no node takes its work"
        table.add_row(cell(pool.name), *map(str, counts), note)
    return table
