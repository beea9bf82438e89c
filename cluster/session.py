"""Starting a local Ray, or joining a running one."""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

from cluster.introduction import GPU_SLOTS_VARIABLE, NODE_DIR_VARIABLE, POOLS_VARIABLE
from shared.errors import ClusterError

QUICK_HEALTH: Final = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_health_check_failure_threshold": "3",
}
"""What a head is told, so that a node that hangs or is cut off is noticed within 10 s."""
_LOCAL_ENVIRONMENT: Final = {
    # Every socket of a local Ray listens on 127.0.0.1 alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    **QUICK_HEALTH,
}
QUICK_KEEPALIVE: Final = {
    "RAY_grpc_client_keepalive_time_ms": "5000",
    "RAY_grpc_client_keepalive_timeout_ms": "3000",
}
"""So that connections to a node that is cut off end in seconds, not minutes.

All nodes and drivers must be told the same: a worker that is asked more often than it would ask
itself hangs up, and Ray takes it for dead.
"""
_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    **QUICK_KEEPALIVE,
    # No bar of Ray's own on the terminal.
    "RAY_TQDM": "0",
    # Attempts, a second each, to reach a head node that refuses us.
    "RAY_NUM_REDIS_GET_RETRIES": "5",
}
RAY_FOLDERS: Final = Path("/tmp")  # noqa: S108
"""Unix sockets lie below it, and their paths may have 107 characters at most."""
RAY_PREFIX: Final = "mf-"
_ABANDONED_S: Final = 3600
_REACHED_WITHIN_S: Final = 5.0
_SHUT_DOWN_WITHIN_S: Final = 15.0
SCRATCH_VARIABLE: Final = "MIDIFARM_SCRATCH_DIR"
"""Names the folder for a node's temporary files; without it Python's own is taken (TMPDIR)."""
ANY_ROUTE: Final = "192.0.2.1"
"""An address for documentation (RFC 5737): asked only by which of ours it would be reached."""
OBJECT_STORE_BYTES: Final = 100 << 20
"""Segments travel through the object storage; Ray's own store holds a few small reports."""


def preload(address: str | None) -> threading.Thread:
    """Begin to import Ray in the background, which takes a second; join the thread before use."""
    _set_environment(address)
    thread = threading.Thread(target=importlib.import_module, args=("ray",), daemon=True)
    thread.start()
    return thread


def _sweep() -> None:
    """Remove what runs that were killed have left behind."""
    for folder in RAY_FOLDERS.glob(f"{RAY_PREFIX}*-*"):
        pid = folder.name.removeprefix(RAY_PREFIX).partition("-")[0]
        try:
            old = time.time() - folder.stat().st_mtime > _ABANDONED_S
            if old and pid.isdecimal() and not Path("/proc", pid).exists():
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # somebody else swept it


def _set_environment(address: str | None) -> None:
    """Set what Ray reads when it is imported and started."""
    os.environ.update(_ENVIRONMENT)
    if address is None:
        os.environ.update(_LOCAL_ENVIRONMENT)
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    elif "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ:
        os.environ.setdefault("RAY_AUTH_MODE", "token")


@contextmanager
def ray_session(address: str | None, workers: int) -> Iterator[None]:
    """Connect this process to Ray, and disconnect at the end.

    Args:
        address: Of a running cluster; None starts a Ray of this process's own, which ends with it.
        workers: How many processors a local Ray offers, one render process each.

    Raises:
        ClusterError: Ray could not be started or reached.
    """
    _set_environment(address)
    with ExitStack() as stack:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is None:
            options |= _local_options(stack, workers)
        else:
            options["address"] = address
            check_reachable(address)
            if _is_loopback_only(address):
                os.environ.update(_LOCAL_ENVIRONMENT)
        import ray  # reads the environment when it is imported

        on_terminate = signal.getsignal(signal.SIGTERM)
        stack.callback(_shut_down, ray.shutdown)
        try:
            ray.init(**options)
        except (Exception, SystemExit) as exc:  # many kinds, some of them bare
            raise ClusterError(_refusal(address, exc)) from exc
        if threading.current_thread() is threading.main_thread():
            # Ray's own handler prints the machine code that was interrupted.
            signal.signal(signal.SIGTERM, on_terminate)
        # Ray tells of workers that died on standard output, which belongs to our answer.
        with redirect_stdout(sys.stderr):
            yield


def _local_options(stack: ExitStack, workers: int) -> dict[str, Any]:
    """What a local Ray is started with; its folders exist until the stack is closed."""
    from workers.scratch import scratch_folder, sweep_scratch

    _sweep()
    folder = tempfile.mkdtemp(prefix=f"{RAY_PREFIX}{os.getpid()}-", dir=RAY_FOLDERS)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    # The workers' temporary files lie in a folder of ours, and go with it.
    root = Path(os.environ.get(SCRATCH_VARIABLE) or tempfile.gettempdir())
    sweep_scratch(root)
    scratch = stack.enter_context(scratch_folder(root))
    stack.enter_context(_variable(SCRATCH_VARIABLE, str(scratch)))
    # What is meant for a node of a farm, should there be one on this machine.
    for name in (POOLS_VARIABLE, GPU_SLOTS_VARIABLE, NODE_DIR_VARIABLE):
        stack.enter_context(_variable(name, ""))
    return {
        "address": "local",
        "_temp_dir": folder,
        "num_cpus": workers,
        "num_gpus": 0,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
    }


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """An environment variable for the processes that are started meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def check_reachable(address: str) -> None:
    """Make sure that somebody listens there: Ray itself takes minutes to give up.

    Raises:
        ClusterError: Nobody does.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in address or not port.isdecimal():
        return  # a name that Ray resolves, such as "auto"
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_REACHED_WITHIN_S):
            pass
    except (OSError, OverflowError) as exc:
        raise ClusterError(
            f"There is no Ray cluster at {address} ({exc}). Is its head node running, and does "
            "its firewall let this machine through?"
        ) from exc


def _is_loopback_only(address: str) -> bool:
    """Whether a cluster listens on this machine's loopback interface, and nowhere else.

    Ray replaces a loopback address by the machine's outer one unless it is told not to.
    """
    host, _, port = address.rpartition(":")
    if not (host == "localhost" or host.startswith("127.")) or not port.isdecimal():
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((ANY_ROUTE, 9))  # sends nothing
            outer = probe.getsockname()[0]
            socket.create_connection((outer, int(port)), timeout=1.0).close()
        except OSError:
            return True
    return False


def _refusal(address: str | None, exc: BaseException) -> str:
    if address is None:
        return f"Could not start Ray: {exc}"
    return (
        f"Could not join the Ray cluster at {address}: {exc}. Is RAY_AUTH_TOKEN (or the file that "
        "RAY_AUTH_TOKEN_PATH names) the one of the cluster, and Ray's version the same?"
    )


def _shut_down(shutdown: Callable[[], None]) -> None:
    """Disconnect, but do not wait for ever: without its head node Ray may hang."""
    thread = threading.Thread(target=shutdown, name="ray-shutdown", daemon=True)
    thread.start()
    thread.join(_SHUT_DOWN_WITHIN_S)
