"""Calling a worker function in a process of its own, without a cluster.

For what must answer at once or may crash: looking into files from outside, and at drivers.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any, Final

from shared import errors
from shared.errors import InputError, MidifarmError, WorkerLostError

_LIMIT_S: Final = 600
"""Reading the largest file that is accepted takes less."""


def call_isolated(call: str, **arguments: Any) -> Any:
    """Run one of the calls of workers.isolated and return its answer, plain data.

    Raises:
        MidifarmError: What the call raised, as the same class.
        InputError: The call took too long.
        WorkerLostError: The process crashed.
    """
    # -P: the musician's folder is no place to import from.
    command = [sys.executable, "-P", "-m", "workers.isolated"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps({"call": call, "arguments": arguments}),
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise InputError(f"Reading took more than {_LIMIT_S} s and was given up.") from exc
    if done.returncode != 0:
        raise WorkerLostError(_obituary(call, done.returncode, done.stderr), log=done.stderr)
    reply = json.loads(done.stdout)
    if "error" in reply:
        raise _error_class(reply["error"]["type"])(reply["error"]["message"])
    return reply["result"]


def _error_class(name: str) -> type[MidifarmError]:
    found = getattr(errors, name, MidifarmError)
    return found if isinstance(found, type) and issubclass(found, MidifarmError) else MidifarmError


def _obituary(call: str, status: int, log: str) -> str:
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    last = log.strip().splitlines()[-1:] or [""]
    return f"The process for {call!r} ended with {how}. {last[0]}".rstrip()
