"""A node of the farm as Ray is told to start it: its command line and its environment. Pure."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.introduction import (
    GPU_SLOTS_VARIABLE,
    NODE_DIR_VARIABLE,
    POOLS_VARIABLE,
    Slots,
    slots_of,
)
from cluster.session import OBJECT_STORE_BYTES, QUICK_HEALTH, QUICK_KEEPALIVE, SCRATCH_VARIABLE
from shared.pools import DEFAULT_POOL

HEAD_PORT: Final = 6379
"""Where the head of a cluster listens."""
FIRST_PORT: Final = 6380
"""The first of the ports that a node listens on, unless it is told another one."""
_PORTS: Final = {
    "node-manager-port": 0,
    "object-manager-port": 1,
    "runtime-env-agent-port": 2,
    "metrics-export-port": 3,
    "dashboard-agent-listen-port": 4,
    "dashboard-agent-grpc-port": 5,
    "min-worker-port": 20,
    "max-worker-port": 1019,
}
"""How far beyond the first each is: the same on every node, so that a firewall can be told."""
POOL_RESOURCE: Final = "midifarm_pool_"
"""What the resource of a pool begins with: an autoscaler goes by it."""
_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_AUTH_MODE": "token",
    # Per process; Ray's own default keeps 3 GB of each.
    "RAY_ROTATION_MAX_BYTES": str(16 << 20),
    "RAY_ROTATION_BACKUP_COUNT": "2",
    **QUICK_KEEPALIVE,
}
_STORAGE: Final = "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """What a node is started with."""

    folder: Path
    """Of this node alone: sockets, logs, and what it is told by the dispatcher. A short name."""
    address: str
    """Of this machine, as the other nodes reach it."""
    head: str | None = None
    """HOST:PORT of the head that it joins; None for a head itself."""
    port: int = HEAD_PORT
    """Where a head listens."""
    first_port: int = FIRST_PORT
    """The first of the ports that it listens on besides."""
    data_dir: Path | None = None
    """Where a head keeps what it knows; it forgets everything with its end without it."""
    cpus: int = 0
    """Processors that it offers."""
    gpus: int = 0
    """GPUs that it offers."""
    gpu_slots: int = 1
    """How many work items share each of these."""
    pools: tuple[str, ...] = ()
    """Names of the pools that it serves; the pool ``default`` without any."""
    scratch: Path | None = None
    """Folder for temporary files of its workers; one in its own folder without it."""

    @property
    def slots(self) -> Slots:
        """What it has room for."""
        return slots_of(self.cpus, self.gpus, self.gpu_slots)

    @property
    def head_address(self) -> str:
        """HOST:PORT of its cluster's head, be it this one."""
        return self.head or join_address(self.address, self.port)


def join_address(host: str, port: int) -> str:
    """HOST:PORT, with the brackets that IPv6 needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def start_command(spec: NodeSpec) -> list[str]:
    """The command that starts a node and runs as long as it does."""
    options: dict[str, object] = {
        **{name: spec.first_port + beyond for name, beyond in _PORTS.items()},
        "node-ip-address": spec.address,
        "temp-dir": ray_folder(spec),
        "num-cpus": spec.cpus,
        "num-gpus": spec.gpus,
        "object-store-memory": OBJECT_STORE_BYTES,
        "include-log-monitor": False,
    }
    if spec.slots.count:
        pools = spec.pools or (DEFAULT_POOL,)
        counts = {pool_resource(pool): spec.slots.count for pool in pools}
        options["resources"] = json.dumps(counts)
    if spec.head is None:
        options |= {"port": spec.port, "include-dashboard": False}
    else:
        options["address"] = spec.head
    # -P: what lies in the current folder is none of our modules.
    return [
        *(sys.executable, "-P", "-m", "ray.scripts.scripts", "start"),
        *(["--head"] if spec.head is None else []),
        *(f"--{name}={value}" for name, value in options.items()),
        *("--disable-usage-stats", "--block"),
    ]


def pool_resource(pool: str) -> str:
    """What Ray calls the slots of a pool."""
    return POOL_RESOURCE + pool.replace("-", "_")


def start_environment(spec: NodeSpec) -> dict[str, str]:
    """What is set in the environment of a node and of its workers."""
    found = {
        **_ENVIRONMENT,
        NODE_DIR_VARIABLE: str(spec.folder),
        SCRATCH_VARIABLE: str(spec.scratch or spec.folder / "scratch"),
        POOLS_VARIABLE: ",".join(spec.pools),
        GPU_SLOTS_VARIABLE: str(spec.gpu_slots),
    }
    if spec.head is None:
        found |= QUICK_HEALTH
        if spec.data_dir is not None:
            found |= {
                "RAY_gcs_storage": "rocksdb",
                "RAY_gcs_storage_path": str(spec.data_dir / _STORAGE),
            }
    return found


def ray_folder(spec: NodeSpec) -> Path:
    """Where Ray has its sockets and logs."""
    return spec.folder / "ray"
