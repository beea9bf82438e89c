"""What nodes say of themselves, and whether they get work. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POOLS_VARIABLE: Final = "MIDIFARM_POOLS"
"""Names the pools that a node serves, by commas; the pool ``default`` without it."""
GPU_SLOTS_VARIABLE: Final = "MIDIFARM_GPU_SLOTS"
"""How many work items each GPU of a node is shared by; one without it."""
DEFAULT_POOL: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a node says of itself."""

    revision: str
    """Of midifarm, as shared.revision has it: the same wherever the same frames come out."""
    version: str
    """Of the package, for people."""
    libav: str
    """The versions of libav's parts."""
    engine: str
    """What draws and encodes on it, by name and version."""
    renderer: str
    """The part of it that draws."""
    pools: frozenset[str]
    """Names of the pools that it serves."""
    gpu_slots: int
    """How many work items share each of its GPUs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What a node has room for."""

    count: int
    """Work items at a time."""
    cpu_share: float
    """What each takes of the node's processors, as Ray counts them."""
    gpu_share: float
    """What each takes of a GPU."""


def slots_of(cpus: float, gpus: float, gpu_slots: int) -> Slots:
    """The slots of a node: as many as its GPUs are shared by, or one for each processor.

    Args:
        cpus: Processors that it offers.
        gpus: GPUs that it offers.
        gpu_slots: How many work items share each GPU.
    """
    if gpus >= 1:
        # Ray counts in ten-thousandths: three shares of a third must not be more than a GPU.
        share = int(10_000 / gpu_slots) / 10_000
        return Slots(count=int(gpus) * gpu_slots, cpu_share=0.0, gpu_share=share)
    return Slots(count=int(cpus), cpu_share=1.0, gpu_share=0.0)


def pools_of(value: str | None) -> frozenset[str]:
    """The pools that a node serves, by the value of MIDIFARM_POOLS."""
    names = frozenset(name.strip() for name in (value or "").split(",")) - {""}
    return names or frozenset({DEFAULT_POOL})


def why_kept_out(node: Introduction, ours: Introduction) -> str | None:
    """Why a node gets no work, as a sentence that says what to do; None where it may have some.

    Args:
        node: What it says of itself.
        ours: What the dispatcher is; its engine and pools do not matter.
    """
    if node.revision != ours.revision:
        return (
            f"It runs midifarm {node.version} ({node.revision}), the dispatcher {ours.version} "
            f"({ours.revision}): install the same on both."
        )
    if node.libav != ours.libav:
        return (
            f"Its libav is {node.libav}, the dispatcher's {ours.libav}: install midifarm from the "
            "same requirements file on both."
        )
    return None
