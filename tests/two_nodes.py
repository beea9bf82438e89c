"""A cluster of two nodes on this machine, run as a program: what becomes of lost nodes.

Prints a line of JSON for each thing seen, since it is to run in a process of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import psutil

from cluster.executor import Outcome, RayExecutor
from cluster.nodes import NodeWatch
from cluster.session import QUICK_HEALTH, SCRATCH_VARIABLE, ray_session
from shared.errors import ClusterLostError, MidifarmError
from shared.intake import ProbeSpec
from shared.plan import AudioSpec
from shared.preview import PreviewSpec
from shared.storage import LocalStore

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 << 20}
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # loopback only
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    **QUICK_HEALTH,
}
PATIENCE_S = 60.0
LONG_ENOUGH_S = 1.5
"""What can be placed has ended by then."""
_JOIN = """
import json, sys, time
from cluster.session import ray_session
from shared.errors import ClusterError
began_s = time.monotonic()
try:
    with ray_session(sys.argv[1], 1):
        error = None
except ClusterError as exc:
    error = exc.message
print(json.dumps({"error": error, "after_s": time.monotonic() - began_s}))
"""
_LEAVE = """
import sys
from cluster.leaving import leave, stay
from cluster.session import ray_session
with ray_session(sys.argv[1], 1):
    out = sys.__stdout__
    print(leave(sys.argv[2], 6.0, lambda line: print(line, file=out)), file=out)
    stay(sys.argv[2])
"""


def tell(what: str, **facts: Any) -> None:
    """Print a line; a session sends what others print elsewhere."""
    print(json.dumps({"what": what, **facts}), file=sys.__stdout__, flush=True)


def start_cluster(**head: Any) -> tuple[Any, str]:
    """A head node, which other nodes can be added to; and its folder."""
    # Sockets lie below it, and their paths must be short.
    temporary = tempfile.mkdtemp(prefix="mf-", dir="/tmp")
    # Where the cluster's own helper leaves its address; it expects the folder to be there.
    Path("/tmp/ray").mkdir(exist_ok=True)  # noqa: S108
    from ray.cluster_utils import Cluster

    head = {**NODE, "include_dashboard": False, "temp_dir": temporary, **head}
    return Cluster(initialize_head=True, head_node_args=head), temporary


def end_cluster(temporary: str) -> NoReturn:
    """End this process and all nodes: without its head node Ray would take a minute for it."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    shutil.rmtree(temporary, ignore_errors=True)
    os._exit(0)


def main(folder: str) -> None:
    """Run everything; the folder holds a store with two work items beside it."""
    store_url = f"{folder}/store"
    os.environ.update(ENVIRONMENT | {SCRATCH_VARIABLE: f"{folder}/scratch"})
    cluster, temporary = start_cluster()
    other = cluster.add_node(**NODE)
    stranger = subprocess.run(
        [sys.executable, "-c", _JOIN, cluster.address],
        env={**os.environ, "RAY_AUTH_TOKEN": secrets.token_hex(32)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    tell("stranger", **json.loads(stranger.stdout.splitlines()[-1]))
    with ray_session(cluster.address, 1):
        import ray

        with NodeWatch(ray.nodes) as watch:
            _drive(RayExecutor(store_url, watch, keeps_logs=False), cluster, other, folder)
            tell("end")
            end_cluster(temporary)  # the watch would wait for the head, which is gone


def _drive(executor: RayExecutor, cluster: Any, other: Any, folder: str) -> None:
    LocalStore(Path(folder, "store")).put_bytes("assets/none", b"nothing")
    found = executor.nodes()
    until_s = time.monotonic() + PATIENCE_S
    while not all(node.slots for node in found) and time.monotonic() < until_s:
        time.sleep(0.05)
        found = executor.nodes()
    tell("nodes", nodes=[node.id for node in found], slots=[node.slots for node in found])
    here = ray_node_id()
    [there] = {node.id for node in found} - {here}
    spec = ProbeSpec(asset_key="assets/none", name="none.png", kind="image")
    for number, node in enumerate([here, there] * 4):
        executor.submit(f"placed {number}", spec, node)
        [outcome] = executor.wait(PATIENCE_S)
        tell("placed", wanted=node, node=outcome.node)

    sound = AudioSpec.model_validate_json(Path(folder, "sound.json").read_bytes())
    executor.submit("to be lost", sound, there)
    _wait_until_begun(executor, "to be lost")
    executor.submit("behind it", spec, there)
    early = executor.wait(LONG_ENOUGH_S)
    still = PreviewSpec.model_validate_json(Path(folder, "preview.json").read_bytes())
    executor.submit("beside it", still, there)
    [beside] = executor.wait(PATIENCE_S)
    executor.cancel(["behind it"])
    [outcome] = executor.wait(PATIENCE_S)
    tell(
        "waited",
        early=len(early),
        error=type(outcome.error).__name__,
        node=outcome.node,
        beside=beside.node if beside.report else str(beside.error),
        busy=there,
    )

    _leave(executor, cluster.address, there)

    cluster.remove_node(other, allow_graceful=False)
    [outcome] = executor.wait(PATIENCE_S)
    _tell_error("node removed", outcome)
    executor.submit("too late", spec, there)
    [outcome] = executor.wait(PATIENCE_S)
    _tell_error("node gone", outcome)

    executor.submit("the last", sound, here)
    began_s = time.monotonic()
    for process in psutil.Process().children(recursive=True):
        if process.name() == "gcs_server":
            process.send_signal(signal.SIGKILL)
    error = None
    while error is None and time.monotonic() - began_s < PATIENCE_S:
        executor.wait(0.2)
        try:
            executor.status()
        except ClusterLostError as exc:
            error = exc.message
    tell("head lost", error=error, after_s=time.monotonic() - began_s)


def _leave(executor: RayExecutor, address: str, node: str) -> None:
    """Have a node leave that is at something, and stay after all."""
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", _LEAVE, address, node], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        until_s = time.monotonic() + PATIENCE_S
        leaving: set[str] = set()
        while process.poll() is None and time.monotonic() < until_s:
            leaving |= {each.id for each in executor.nodes() if each.is_leaving}
            executor.wait(0.1)
        lines = process.stdout.read().splitlines()
    while any(each.is_leaving for each in executor.nodes()) and time.monotonic() < until_s:
        time.sleep(0.1)
    tell(
        "left",
        lines=lines,
        leaving=list(leaving),
        node=node,
        stays=not any(each.is_leaving for each in executor.nodes()),
    )


def _wait_until_begun(executor: RayExecutor, attempt: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while attempt not in executor.status() and time.monotonic() < until_s:
        executor.wait(0.1)


def _tell_error(what: str, outcome: Outcome) -> None:
    assert isinstance(outcome.error, MidifarmError)
    tell(what, error=type(outcome.error).__name__, kind=outcome.error.kind)


def ray_node_id() -> str:
    """The node that this process is on."""
    import ray

    node: str = ray.get_runtime_context().get_node_id()
    return node


if __name__ == "__main__":
    main(sys.argv[1])
