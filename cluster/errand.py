"""What a worker is told beside its work item: whose it is, and where it tells of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One attempt, for the worker that makes it."""

    attempt: str
    """Its name."""
    kind: str
    """What is done, in a word."""
    export: str | None = None
    """Id of the export that it is for."""
    chunk: int | None = None
    """Which chunk of it."""
    log_key: str | None = None
    """Object key that its log is kept under; None where nobody reads it."""
    traces_url: str | None = None
    """Address of a collector that is told of it; None where nobody is."""
