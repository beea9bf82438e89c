"""``midifarm serve``: a whole service on one machine, under a supervisor."""

from coordinator.serve.supervisor import Service, serve

__all__ = ["Service", "serve"]
