"""A cluster on this machine that grows and shrinks by itself, run as a program.

Ray's own autoscaler runs, and starts processes where it would start machines. Prints a line of
JSON for each thing seen, like tests.two_nodes.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.executor import RayExecutor
from cluster.node import pool_resource
from cluster.nodes import NodeWatch
from cluster.session import SCRATCH_VARIABLE, ray_session
from tests.two_nodes import ENVIRONMENT, NODE, PATIENCE_S, end_cluster, start_cluster, tell

_HEAD = "f" * 51 + "00000"
"""The head's id, as the autoscaler's pretended cloud expects it."""
_COMMANDS = (
    "cluster_synced_files",
    "rsync_exclude",
    "rsync_filter",
    "initialization_commands",
    "setup_commands",
    "head_setup_commands",
    "worker_setup_commands",
    "head_start_ray_commands",
    "worker_start_ray_commands",
)
"""What would be run on machines; these are processes."""
_SLOTS = 2
_IDLE_S = 3.0


def main(folder: str) -> None:
    """Ask for slots and let them go."""
    os.environ.update(ENVIRONMENT | {SCRATCH_VARIABLE: f"{folder}/scratch"})
    os.environ.update({"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings = Path(folder, "autoscaling.json")
    settings.write_text(json.dumps(_settings(f"127.0.0.1:{port}")))
    cluster, temporary = start_cluster(
        num_cpus=0,
        gcs_server_port=port,
        autoscaling_config=str(settings),
        env_vars={"RAY_OVERRIDE_NODE_ID_FOR_TESTING": _HEAD},
    )
    with ray_session(cluster.address, 1):
        import ray  # reads the environment when it is imported

        with NodeWatch(ray.nodes) as watch:
            executor = RayExecutor(f"{folder}/store", watch, keeps_logs=False)
            for wanted in ({"four-k": 3}, {}):
                _ask(executor, wanted)
            tell("end")
            end_cluster(temporary)


def _settings(address: str) -> dict[str, Any]:
    node = {"CPU": 1, "object_store_memory": NODE["object_store_memory"]}
    return {
        "cluster_name": "pretended",
        "max_workers": 4,
        "upscaling_speed": 10,
        "idle_timeout_minutes": _IDLE_S / 60,
        "provider": {
            "type": "fake_multinode",
            "gcs_address": address,
            "head_node_id": _HEAD,
            "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "available_node_types": {
            "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "render": {
                "resources": node | {pool_resource("four-k"): _SLOTS},
                "node_config": {},
                "min_workers": 0,
                "max_workers": 4,
            },
        },
        "head_node_type": "ray.head.default",
        "auth": {},
        "docker": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        **dict.fromkeys(_COMMANDS, ()),
    }


def _ask(executor: RayExecutor, wanted: dict[str, int]) -> None:
    """Ask until there are as many nodes as that takes."""
    expected = -(-sum(wanted.values()) // _SLOTS)

    def is_there() -> bool:
        executor.ask_for(wanted)
        return sum(node.cpus > 0 for node in executor.nodes()) == expected

    tell("grown", wanted=wanted, nodes=expected, found=_wait(is_there))


def _wait(is_there: Callable[[], bool]) -> bool:
    until_s = time.monotonic() + PATIENCE_S
    while not is_there():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    main(sys.argv[1])
