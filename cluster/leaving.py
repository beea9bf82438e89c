"""A node's side of leaving: it asks for nothing more, and waits until it has done what it has."""

from __future__ import annotations

from collections.abc import Callable


def leave(node_id: str, within_s: float, tell: Callable[[str], None]) -> bool:
    """Ask the dispatchers to give a node nothing more, and wait until it is at nothing.

    Call it in a process that is connected to the cluster (cluster.session.ray_session), on
    whatever machine. The wish lasts for half a minute beyond this call: time enough to end the
    node.

    Args:
        node_id: Ray's id of the node.
        within_s: How long to wait at most.
        tell: Given a line for people whenever there is something new to say.

    Returns:
        Whether the node is at nothing; False when the time was up before.

    Raises:
        ClusterError: The cluster does not answer.
    """
    raise NotImplementedError


def stay(node_id: str) -> None:
    """Take the wish to leave back; a second time does no harm.

    Raises:
        ClusterError: The cluster does not answer.
    """
    raise NotImplementedError
