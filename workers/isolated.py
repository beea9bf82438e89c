"""The far side of cluster.isolated: one call in a process of its own.

Reads ``{"call": name, "arguments": {…}}`` on standard input and answers on standard output with
``{"result": …}`` or ``{"error": {"type": …, "message": …}}``. Files that came from outside are
opened in processes like this one, so that a crash in a decoder or a driver ends only the call.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.errors import MidifarmError
from shared.intake import IntakeRequest
from shared.storage import open_store


def _take_in(request: dict[str, Any], store_url: str) -> dict[str, Any]:
    from workers.intake import take_in

    intake = take_in(IntakeRequest.model_validate(request), open_store(store_url))
    return intake.model_dump(mode="json")


def _inspect(path: str) -> dict[str, Any]:
    from workers.inspection import inspect_file

    return inspect_file(Path(path))


def _examine() -> list[dict[str, Any]]:
    from workers.doctor import examine

    return examine()


_CALLS: dict[str, Callable[..., Any]] = {
    "take_in": _take_in,
    "inspect": _inspect,
    "examine": _examine,
}


def main() -> None:
    """Answer one call."""
    # Libraries that print would spoil the answer: it gets a descriptor of its own.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    message = json.load(sys.stdin)
    try:
        reply: dict[str, Any] = {"result": _CALLS[message["call"]](**message["arguments"])}
    except MidifarmError as exc:
        reply = {"error": {"type": type(exc).__name__, "message": exc.message}}
    with answer:
        json.dump(reply, answer)


if __name__ == "__main__":
    main()
