"""Nodes of all kinds that join a cluster on this machine, run as a program.

Prints a line of JSON for each thing seen, like tests.two_nodes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from cluster.executor import RayExecutor
from cluster.introduction import (
    GPU_SLOTS_VARIABLE,
    NODE_DIR_VARIABLE,
    POOLS_VARIABLE,
    Standing,
)
from cluster.nodes import Node, NodeWatch
from cluster.session import SCRATCH_VARIABLE, ray_session
from shared.plan import AudioSpec
from tests.two_nodes import (
    ENVIRONMENT,
    LONG_ENOUGH_S,
    NODE,
    PATIENCE_S,
    end_cluster,
    start_cluster,
    tell,
)

_KINDS: dict[str, tuple[int, dict[str, str]]] = {
    "plain": (0, {POOLS_VARIABLE: "night, fast"}),
    "gpu": (2, {GPU_SLOTS_VARIABLE: "2"}),
    "odd": (0, {GPU_SLOTS_VARIABLE: "many"}),
}
"""GPUs and environment of the nodes; the GPUs are Ray's belief alone."""


class Meeting:
    """Where tasks wait for each other."""

    def __init__(self) -> None:
        """Nobody is there."""
        self.there: list[str] = []

    def arrive(self, gpus: str) -> None:
        """Note who has come, and with what."""
        self.there.append(gpus)

    def count(self) -> int:
        """How many have come."""
        return len(self.there)


def meet(meeting: Any, others: int) -> str:
    """Wait until so many are there; the GPU that this task was given."""
    import ray

    gpus = os.environ["CUDA_VISIBLE_DEVICES"]
    ray.get(meeting.arrive.remote(gpus))
    while ray.get(meeting.count.remote()) < others:
        time.sleep(0.05)
    return gpus


def main(folder: str) -> None:
    """Run everything; the folder holds a store with a long sound beside it."""
    os.environ.update(ENVIRONMENT | {SCRATCH_VARIABLE: f"{folder}/scratch"})
    cluster, temporary = start_cluster(num_cpus=0)
    for kind, (gpus, environment) in _KINDS.items():
        environment = {**environment, NODE_DIR_VARIABLE: f"{folder}/{kind}"}
        cluster.add_node(
            wait=False, **NODE, num_gpus=gpus, env_vars=environment, labels={"kind": kind}
        )
    cluster.wait_for_nodes()
    with ray_session(cluster.address, 1):
        import ray  # reads the environment when it is imported

        kinds = {
            node["NodeID"]: node["Labels"]["kind"]
            for node in ray.nodes()
            if "kind" in node["Labels"]
        }
        with NodeWatch(ray.nodes) as watch:
            executor = RayExecutor(f"{folder}/store", watch, keeps_logs=False)
            found = _introduced(executor, kinds)
            for kind, node in found.items():
                tell(
                    kind,
                    slots=node.slots,
                    pools=sorted(node.pools),
                    renderer=node.renderer,
                    kept_out=node.kept_out,
                    standing=_standing(Path(folder, kind)),
                )
            _share_gpus(executor, found["gpu"], Path(folder, "sound.json"))
            tell("end")
            end_cluster(temporary)


def _introduced(executor: RayExecutor, kinds: dict[str, str]) -> dict[str, Node]:
    """The nodes by their kinds, once all have said what they are."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        found = {kinds[node.id]: node for node in executor.nodes() if node.id in kinds}
        if len(found) == len(kinds) and all(each.slots or each.kept_out for each in found.values()):
            return found
        time.sleep(0.05)
    raise TimeoutError("Not all nodes have introduced themselves.")


def _standing(folder: Path) -> dict[str, Any] | None:
    until_s = time.monotonic() + PATIENCE_S
    while (found := Standing.read(folder)) is None and time.monotonic() < until_s:
        time.sleep(0.05)
    return found and {"state": found.state, "reason": found.reason, "slots": found.slots}


def _share_gpus(executor: RayExecutor, node: Node, sound: Path) -> None:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    share = executor._guests.slots_of(node.id).gpu_share
    there: Any = NodeAffinitySchedulingStrategy(node.id, soft=False)
    meeting = ray.remote(Meeting).options(num_cpus=0).remote()
    there = ray.remote(meet).options(num_cpus=0, num_gpus=share, scheduling_strategy=there)
    gpus = ray.get([there.remote(meeting, 4) for _ in range(4)], timeout=PATIENCE_S)
    tell("met", share=share, gpus=sorted(gpus))

    spec = AudioSpec.model_validate_json(sound.read_bytes())
    names = [f"sound {number}" for number in range(5)]
    for name in names:
        executor.submit(name, spec.model_copy(update={"key": f"audio/{name[-1]}.mp4"}), node.id)
    until_s = time.monotonic() + PATIENCE_S
    while len(executor.status()) < 4 and time.monotonic() < until_s:
        executor.wait(0.1)
    early = executor.wait(LONG_ENOUGH_S)
    tell("shared", begun=len(executor.status()), early=len(early))
    executor.kill(names)


if __name__ == "__main__":
    main(sys.argv[1])
