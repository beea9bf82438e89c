"""A store for work of which nothing is to remain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from shared.storage import LocalStore, ObjectStore
from shared.storage.port import ObjectInfo


class DraftStore:
    """An ObjectStore that reads what another holds, and writes into a folder of its own."""

    def __init__(self, sources: ObjectStore, folder: Path) -> None:
        """Read from ``sources`` what is not in ``folder``, and write there."""
        self._sources = sources
        self._own = LocalStore(folder)

    def _holder(self, key: str) -> ObjectStore:
        return self._own if self._own.exists(key) else self._sources

    def writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """See ObjectStore."""
        return self._own.writer(key)

    def reader(
        self, key: str, start: int = 0, stop: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """See ObjectStore."""
        return self._holder(key).reader(key, start, stop)

    def put_bytes(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        self._own.put_bytes(key, data)

    def get_bytes(self, key: str) -> bytes:
        """See ObjectStore."""
        return self._holder(key).get_bytes(key)

    def put_file(self, key: str, path: Path) -> None:
        """See ObjectStore."""
        self._own.put_file(key, path)

    def as_file(self, key: str) -> AbstractContextManager[Path]:
        """See ObjectStore."""
        return self._holder(key).as_file(key)

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        return self._holder(key).stat(key)

    def exists(self, key: str) -> bool:
        """See ObjectStore."""
        return self._holder(key).exists(key)

    def delete(self, key: str) -> None:
        """Remove what was written here; what is only read stays."""
        self._own.delete(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """What was written here."""
        return self._own.list(prefix)

    def link(
        self,
        key: str,  # noqa: ARG002  # the port's signature
        *,
        file_name: str,  # noqa: ARG002
        content_type: str,  # noqa: ARG002
        valid_s: int,  # noqa: ARG002
        is_inline: bool = False,  # noqa: ARG002
    ) -> str | None:
        """None: what is written here is gone soon."""
        return None

    def sweep(self, older_than_s: float) -> int:
        """See ObjectStore."""
        return self._own.sweep(older_than_s)

    def check(self) -> None:
        """See ObjectStore."""
        self._own.check()
        self._sources.check()
