"""What Ray is asked before a node is started, in a process of its own: ``inspect_ray()``.

So whoever supervises a node holds no Ray himself, and waits no longer than he wants to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from shared.errors import ClusterError

_WITHIN_S: Final = 20.0
_ANSWERS_WITHIN_S: Final = 5.0
_METADATA: Final = b"CLUSTER_METADATA", b"cluster"
"""Under which key and in which namespace a head says what it is."""


def inspect_ray(head: str | None = None) -> dict[str, Any]:
    """What there is.

    Args:
        head: HOST:PORT of the head to ask.

    Returns:
        ``gpus``, how many this machine offers; and of the head ``ray_version`` and
        ``python_version``, or else ``refused``, whether it does not accept our token, and
        ``error``, what Ray said.

    Raises:
        ClusterError: Ray does not say so much.
    """
    # -P: what lies in the current folder is none of our modules.
    command = [sys.executable, "-P", "-m", "cluster.inspection", *([head] if head else [])]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WITHIN_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise ClusterError(f"The head at {head} did not answer within {_WITHIN_S:.0f} s.") from exc
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise ClusterError(f"Ray does not run on this machine: {last[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _gpus() -> int:
    """How many this process may use, as Ray itself counts them."""
    from ray._private.accelerators import get_accelerator_manager_for_resource

    kind = get_accelerator_manager_for_resource("GPU")
    if kind is None:
        return 0
    visible = kind.get_current_process_visible_accelerator_ids()
    found: int = kind.get_current_node_num_accelerators()
    return found if visible is None else min(found, len(visible))


def _ask(head: str) -> dict[str, Any]:
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled
    from ray.exceptions import AuthenticationError

    try:
        said = GcsClient(address=head).internal_kv_get(*_METADATA, timeout=_ANSWERS_WITHIN_S)
    except AuthenticationError as exc:
        return {"refused": True, "error": str(exc)}
    except Exception as exc:  # Ray raises many kinds
        return {"refused": False, "error": str(exc)}
    if said is None:
        return {"refused": False, "error": "it is still starting"}
    found: dict[str, Any] = json.loads(said)
    return found


if __name__ == "__main__":
    json.dump({"gpus": _gpus(), **(_ask(sys.argv[1]) if sys.argv[1:] else {})}, sys.stdout)
