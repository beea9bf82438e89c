"""The head of a cluster, looked at before a node joins it: Ray takes minutes to be refused."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from cluster.inspection import inspect_ray
from cluster.session import ANY_ROUTE, check_reachable
from shared.errors import AccessError, ClusterError, InputError, MidifarmError

TOKEN_VARIABLE: Final = "RAY_AUTH_TOKEN"  # noqa: S105  # a name
TOKEN_PATH_VARIABLE: Final = "RAY_AUTH_TOKEN_PATH"  # noqa: S105


def need_token() -> None:
    """Make sure that there is a secret of the cluster, and have Ray ask for it everywhere.

    Raises:
        InputError: There is none.
    """
    path = os.environ.get(TOKEN_PATH_VARIABLE)
    try:
        found = os.environ.get(TOKEN_VARIABLE) or (path and Path(path).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise InputError(
            f"{TOKEN_PATH_VARIABLE} names {path}, which cannot be read: {reason}."
        ) from exc
    if not found:
        raise InputError(
            f"Set {TOKEN_VARIABLE}, or name its file with {TOKEN_PATH_VARIABLE}: the secret of the "
            "cluster, the same on every node; `openssl rand -hex 32` makes one."
        )
    os.environ["RAY_AUTH_MODE"] = "token"


def split_address(address: str) -> tuple[str, int]:
    """Host and port of HOST:PORT.

    Raises:
        InputError: It is not written so.
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        raise InputError(f"{address!r} is no address of a head; write it as HOST:PORT.")
    return host, int(port)


def own_address(head: str | None) -> str:
    """The address by which the nodes of a cluster reach this machine.

    Args:
        head: HOST:PORT of the cluster's head; None takes the way to the rest of the world.

    Raises:
        ClusterError: The machine has no network that leads there.
    """
    host, port = (ANY_ROUTE, 9) if head is None else split_address(head)
    try:
        [(family, kind, _, _, there), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind) as probe:
            probe.connect(there)  # sends nothing
            found: str = probe.getsockname()[0]
    except OSError as exc:
        raise ClusterError(
            f"No network of this machine leads to {head or 'others'} ({exc.strerror}). Where the "
            "others reach it all the same, say under which address with --node-ip."
        ) from exc
    return found


def check_head(address: str) -> int:
    """Make sure that a node of ours can join the cluster of a head.

    Returns:
        How many GPUs this machine offers, which is found out beside it.

    Raises:
        ClusterError: Nobody answers there.
        AccessError: The token is not the cluster's.
        InputError: Its Ray or its Python is another one.
    """
    check_reachable(address)
    found = inspect_ray(address)
    refusal = why_not(address, found, {"Ray": version("ray"), "Python": platform.python_version()})
    if refusal is not None:
        raise refusal
    gpus: int = found["gpus"]
    return gpus


def why_not(
    address: str, found: Mapping[str, Any], ours: Mapping[str, str]
) -> MidifarmError | None:
    """Why a node cannot join a cluster; None where it can. Pure.

    Args:
        address: Of its head.
        found: What inspect_ray() has found there.
        ours: The versions of Ray and Python on this machine.
    """
    if found.get("refused"):
        return AccessError(
            f"The cluster at {address} has another token: set {TOKEN_VARIABLE}, or "
            f"{TOKEN_PATH_VARIABLE}, to what it is on its head."
        )
    if "error" in found:
        return ClusterError(f"The head at {address} does not answer: {found['error']}.")
    for what, theirs in (("Ray", found["ray_version"]), ("Python", found["python_version"])):
        if theirs != ours[what]:
            return InputError(
                f"The head at {address} runs {what} {theirs}, this machine {ours[what]}: install "
                "the same on both."
            )
    return None
