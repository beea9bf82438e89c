"""Starting a local Ray, or joining a running one."""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

from shared.errors import ClusterError

_LOCAL_ENVIRONMENT: Final = {
    # Every socket of a local Ray listens on 127.0.0.1 alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # A node that is cut off is noticed in seconds, not minutes.
    "RAY_grpc_client_keepalive_time_ms": "5000",
    "RAY_grpc_client_keepalive_timeout_ms": "3000",
    # No bar of Ray's own on the terminal.
    "RAY_TQDM": "0",
}
_TEMPORARY: Final = Path("/tmp")  # noqa: S108
"""Unix sockets lie below it, and their paths may have 107 characters at most."""
_PREFIX: Final = "mf-"
_ABANDONED_S: Final = 3600
_OBJECT_STORE_BYTES: Final = 100 << 20
"""Segments travel through the object storage; Ray's own store holds a few small reports."""


def preload(address: str | None) -> threading.Thread:
    """Begin to import Ray in the background, which takes a second; join the thread before use."""
    _set_environment(address)
    thread = threading.Thread(target=importlib.import_module, args=("ray",), daemon=True)
    thread.start()
    return thread


def _sweep() -> None:
    """Remove what runs that were killed have left behind."""
    for folder in _TEMPORARY.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
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
    folder: str | None = None
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        _sweep()
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_TEMPORARY)
        options |= {
            "address": "local",
            "_temp_dir": folder,
            "num_cpus": workers,
            "num_gpus": 0,
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
        }
    else:
        options["address"] = address
    import ray  # reads the environment when it is imported

    on_terminate = signal.getsignal(signal.SIGTERM)
    try:
        try:
            ray.init(**options)
        except Exception as exc:  # Ray raises many kinds, some of them bare
            where = f"join the Ray cluster at {address}" if address else "start Ray"
            raise ClusterError(f"Could not {where}: {exc}") from exc
        if threading.current_thread() is threading.main_thread():
            # Ray's own handler prints the machine code that was interrupted.
            signal.signal(signal.SIGTERM, on_terminate)
        # Ray tells of workers that died on standard output, which belongs to our answer.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
