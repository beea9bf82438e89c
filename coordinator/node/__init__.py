"""A node of the farm on this machine: started, watched, and started again; found, and ended."""

from coordinator.node.folder import NodeFolder
from coordinator.node.supervisor import run_beside, run_node

__all__ = ["NodeFolder", "run_beside", "run_node"]
