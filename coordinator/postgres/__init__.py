"""The embedded PostgreSQL: a server of our own, as a child of this process."""

from coordinator.postgres.server import EmbeddedPostgres, embedded_binaries

__all__ = ["EmbeddedPostgres", "embedded_binaries"]
