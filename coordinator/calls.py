"""What calls of PostgreSQL and of the object store take, and which of them fail.

Every process that has metrics counts its own: ``Database.measure`` takes them, and a
``MeasuredStore`` stands before the object store.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

from shared.errors import DatabaseError, ObjectNotFoundError, StorageError, StorageFullError

Operation = Literal["read", "write", "look", "list", "delete"]
"""What is asked of an object store."""
OPERATIONS: Final[tuple[Operation, ...]] = ("read", "write", "look", "list", "delete")
FAULTS: Final = ("full", "other")
"""Why it fails."""
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Calls:
    """Counts the calls of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing is counted yet.

        Args:
            registry: Of the process's metrics.
        """
        self._transaction_duration = Histogram(
            "midifarm_database_transaction_duration_seconds",
            "Time of a transaction in PostgreSQL, from asking for a connection to its end.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._database_errors = Counter(
            "midifarm_database_errors",
            "Transactions that PostgreSQL failed.",
            registry=registry,
        )
        self._storage_duration = Histogram(
            "midifarm_storage_call_duration_seconds",
            "Time of a call of the object store; of those that stream, to their first byte.",
            ("operation",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._storage_errors = Counter(
            "midifarm_storage_errors",
            "Calls that the object store failed; an object that is not there is no failure.",
            ("operation", "fault"),
            registry=registry,
        )
        for operation in OPERATIONS:
            self._storage_duration.labels(operation)
            for fault in FAULTS:
                self._storage_errors.labels(operation, fault)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Measure a transaction, which is the block."""
        began_s = time.perf_counter()
        try:
            yield
        except DatabaseError:
            self._database_errors.inc()
            raise
        finally:
            self._transaction_duration.observe(time.perf_counter() - began_s)

    @contextmanager
    def storage(self, operation: Operation, *, is_timed: bool = True) -> Iterator[None]:
        """Measure a call of the object store, which is the block.

        Args:
            operation: What is asked for.
            is_timed: Whether it takes as long as the store does, and not as somebody who reads.
        """
        began_s = time.perf_counter()
        try:
            yield
        except ObjectNotFoundError:
            raise
        except StorageError as exc:
            fault = "full" if isinstance(exc, StorageFullError) else "other"
            self._storage_errors.labels(operation, fault).inc()
            raise
        finally:
            if is_timed:
                self._storage_duration.labels(operation).observe(time.perf_counter() - began_s)
