"""What nodes say of themselves, whether they get work, and how they learn of that."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

POOLS_VARIABLE: Final = "MIDIFARM_POOLS"
"""Names the pools that a node serves, by commas; the pool ``default`` without it."""
GPU_SLOTS_VARIABLE: Final = "MIDIFARM_GPU_SLOTS"
"""How many work items each GPU of a node is shared by; one without it."""
NODE_DIR_VARIABLE: Final = "MIDIFARM_NODE_DIR"
"""Names a folder of the node's own machine, in which it finds how it stands with the dispatcher."""
DEFAULT_POOL: Final = "default"
_STANDING: Final = "standing.json"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a node stands with the dispatcher, for whoever started it."""

    state: Literal["joined", "kept_out"]
    """Whether it gets work."""
    reason: str | None = None
    """Why it gets none: a sentence that says what to do."""
    slots: int = 0
    """Work items that it does at a time."""
    pools: tuple[str, ...] = ()
    """Names of the pools that it serves, in order."""
    renderer: str | None = None
    """What draws on it; None where it could not say so."""

    def write(self, folder: Path) -> None:
        """Put it into the node's folder, whole or not at all.

        Raises:
            OSError: The folder cannot be written to.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            json.dump(asdict(self), file, ensure_ascii=False)
        Path(file.name).replace(folder / _STANDING)

    @classmethod
    def read(cls, folder: Path) -> Standing | None:
        """What was put there last; None before that.

        Raises:
            OSError: The folder cannot be read.
        """
        try:
            found = json.loads((folder / _STANDING).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return cls(**found | {"pools": tuple(found["pools"])})

    @staticmethod
    def forget(folder: Path) -> None:
        """Remove what an earlier node was told there."""
        (folder / _STANDING).unlink(missing_ok=True)
