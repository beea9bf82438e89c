"""What Ray raises, as errors of ours."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import (
    CancelledError,
    ClusterError,
    ClusterLostError,
    MidifarmError,
    RenderError,
    WorkerLostError,
)

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def as_midifarm_error(exc: Exception) -> MidifarmError:
    """What Ray raised, as an error of ours; `raise … from` keeps the original."""
    import ray.exceptions

    cause = getattr(exc, "cause", None)
    if isinstance(cause, MidifarmError):
        cause.facts.setdefault("log", _log_of(exc))  # where in the worker it happened
        return cause
    if isinstance(exc, MidifarmError):
        return exc
    match exc:
        case ray.exceptions.TaskCancelledError():
            return CancelledError("The attempt was cancelled.")
        case ray.exceptions.OutOfMemoryError():
            return WorkerLostError(
                "A worker ran out of memory and was ended. Give its node more memory, or fewer "
                "slots.",
                log=_log_of(exc),
            )
        case ray.exceptions.NodeDiedError():
            return ClusterError("The node that the work ran on died.", log=_log_of(exc))
        case ray.exceptions.TaskUnschedulableError() | ray.exceptions.ActorUnschedulableError():
            return ClusterError("The node that the work was put on is gone.", log=_log_of(exc))
        case ray.exceptions.LocalRayletDiedError():
            return ClusterLostError("Ray has died on this machine.", log=_log_of(exc))
        case ray.exceptions.WorkerCrashedError():
            return WorkerLostError(
                "A worker process died in the middle of its work.", log=_log_of(exc)
            )
        case ray.exceptions.RayTaskError():
            return RenderError(f"A worker failed: {cause!r}", log=_log_of(exc))
    return ClusterError(f"Ray failed: {exc}")


def tells_of_a_dead_node(exc: Exception) -> bool:
    """Whether what Ray raised means that the node of the work is dead."""
    import ray.exceptions

    return isinstance(exc, ray.exceptions.NodeDiedError | ray.exceptions.TaskUnschedulableError)


def _log_of(exc: Exception) -> str:
    """What Ray tells of a failure, without the colours that it has for terminals."""
    return _COLOUR.sub("", str(exc))
