"""What nodes say of themselves, whether they get work, and how they learn of that."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from shared.errors import ClusterError
from shared.pools import DEFAULT_POOL, parse_pools

POOLS_VARIABLE: Final = "MIDIFARM_POOLS"
"""Names the pools that a node serves, by commas; the pool ``default`` without it."""
GPU_SLOTS_VARIABLE: Final = "MIDIFARM_GPU_SLOTS"
"""How many work items each GPU of a node is shared by; one without it."""
NODE_DIR_VARIABLE: Final = "MIDIFARM_NODE_DIR"
"""Names a folder of the node's own machine, in which it finds how it stands with the dispatcher."""
_GPU_SLOTS: Final = range(1, 65)
_STANDING: Final = "standing.json"
_DRAINING: Final = "draining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a node has to know to say whether it can do the dispatcher's work."""

    store_url: str
    """The object store that it is to use."""
    store_mark: str | None = None
    """What it must find there, where the store is a folder, which others may have as well."""
    gpus: int = 0
    """How many GPUs it offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a node says of itself."""

    revision: str
    """Of midifarm, as shared.revision has it: the same wherever the same frames come out."""
    version: str
    """Of the package, for people."""
    libav: str
    """The versions of libav's parts."""
    engine: str = ""
    """What draws and encodes on it, by name and version; empty where nothing does."""
    renderer: str | None = None
    """The part of it that draws; None where nothing does."""
    is_software: bool = False
    """Whether a processor draws, not a GPU."""
    pools: frozenset[str] = frozenset({DEFAULT_POOL})
    """Names of the pools that it serves."""
    gpu_slots: int = 1
    """How many work items share each of its GPUs."""
    trouble: str | None = None
    """Why it can do nothing, as it sees it: a sentence that says what to do."""
    has_folder: bool = False
    """Whether somebody there waits to hear of its standing."""


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
    """The pools that a node serves, by the value of MIDIFARM_POOLS.

    Raises:
        ClusterError: A pool cannot be called so.
    """
    try:
        return frozenset(parse_pools(value or "")) or frozenset({DEFAULT_POOL})
    except ValueError as exc:
        raise ClusterError(f"{POOLS_VARIABLE} is {value!r}: {exc}.") from exc


def gpu_slots_of(value: str | None) -> int:
    """How many work items share each GPU of a node, by the value of MIDIFARM_GPU_SLOTS.

    Raises:
        ClusterError: It is no such number.
    """
    text = (value or "1").strip()
    if not (text.isdecimal() and len(text) < 4 and int(text) in _GPU_SLOTS):
        raise ClusterError(
            f"{GPU_SLOTS_VARIABLE} is {value!r}: give a whole number from {_GPU_SLOTS[0]} to "
            f"{_GPU_SLOTS[-1]}."
        )
    return int(text)


def why_kept_out(node: Introduction, ours: Introduction, gpus: float = 0) -> str | None:
    """Why a node gets no work, as a sentence that says what to do; None where it may have some.

    Args:
        node: What it says of itself.
        ours: What the dispatcher is: its revision, version and libav.
        gpus: GPUs that the node offers.
    """
    if (node.revision, node.version) != (ours.revision, ours.version):
        return (
            f"It runs midifarm {node.version} ({node.revision}), the dispatcher {ours.version} "
            f"({ours.revision}): install the same on both."
        )
    if node.libav != ours.libav:
        return (
            f"Its libav is {node.libav}, the dispatcher's {ours.libav}: install midifarm from the "
            "same requirements file on both."
        )
    if node.trouble is not None:
        return node.trouble
    if gpus >= 1 and node.is_software:
        return (
            f"It offers GPUs, but {node.renderer} draws on its processors: install the EGL part of "
            "the GPU's driver (libnvidia-gl; in a container NVIDIA_DRIVER_CAPABILITIES must name "
            "graphics), or start the node without GPUs."
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


def want_nothing(folder: Path, wish: bool) -> None:
    """Note in a node's folder whether it wants nothing more, until that is taken back.

    Raises:
        OSError: The folder cannot be written to.
    """
    if wish:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _DRAINING).touch()
    else:
        (folder / _DRAINING).unlink(missing_ok=True)


def wants_nothing(folder: Path) -> bool:
    """Whether a node wants nothing more."""
    return (folder / _DRAINING).exists()
