"""The command line."""

from coordinator.cli.app import main

__all__ = ["main"]
