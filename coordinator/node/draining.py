"""A node that drains: its dispatchers are told, now and as long as it is to last.

``python -m coordinator.node.draining FOLDER`` tells them again and again, whoever they are by
then, until the node takes its wish back or ends.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Final

from cluster.head import need_token
from cluster.introduction import wants_nothing
from cluster.leaving import leave, stay
from cluster.session import ray_session
from coordinator.node.here import node_here

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 10.0
_LOOK_S: Final = 0.5


def hold_back(folder: Path) -> None:
    """Keep the node of a folder from getting work, as long as it wants none."""
    need_token()
    node = node_here(folder)
    if node is None:
        return
    with ray_session(node.head, 0):
        while wants_nothing(folder) and node_here(folder) == node:
            leave(node.id, _AGAIN_S, _log.info)
            _rest(folder)
        if not wants_nothing(folder):
            stay(node.id)


def _rest(folder: Path) -> None:
    until_s = time.monotonic() + _AGAIN_S
    while wants_nothing(folder) and time.monotonic() < until_s:
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    hold_back(Path(sys.argv[1]))
