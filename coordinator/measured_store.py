"""An object store whose calls are counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from coordinator.calls import Calls, Operation
from shared.storage import ObjectInfo, ObjectStore

T = TypeVar("T")


class MeasuredStore:
    """An ObjectStore that is another one, each call of which is measured."""

    def __init__(self, store: ObjectStore, calls: Calls) -> None:
        """Measure calls of ``store``."""
        self._store = store
        self._calls = calls

    def __repr__(self) -> str:
        return f"MeasuredStore({self._store!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return copy, (self._store,)  # in another process nobody asks for our counts

    def writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """See ObjectStore.writer."""
        return self._streamed("write", self._store.writer(key))

    def reader(
        self, key: str, start: int = 0, stop: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """See ObjectStore.reader."""
        return self._streamed("read", self._store.reader(key, start, stop))

    def put_bytes(self, key: str, data: bytes) -> None:
        """See ObjectStore.put_bytes."""
        with self._calls.storage("write"):
            self._store.put_bytes(key, data)

    def get_bytes(self, key: str) -> bytes:
        """See ObjectStore.get_bytes."""
        with self._calls.storage("read"):
            return self._store.get_bytes(key)

    def put_file(self, key: str, path: Path) -> None:
        """See ObjectStore.put_file."""
        with self._calls.storage("write"):
            self._store.put_file(key, path)

    def as_file(self, key: str) -> AbstractContextManager[Path]:
        """See ObjectStore.as_file."""
        return self._streamed("read", self._store.as_file(key))

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore.stat."""
        with self._calls.storage("look"):
            return self._store.stat(key)

    def exists(self, key: str) -> bool:
        """See ObjectStore.exists."""
        with self._calls.storage("look"):
            return self._store.exists(key)

    def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        with self._calls.storage("delete"):
            self._store.delete(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ObjectStore.list."""
        return self._listed(self._store.list(prefix))

    def link(
        self,
        key: str,
        *,
        file_name: str,
        content_type: str,
        valid_s: int,
        is_inline: bool = False,
    ) -> str | None:
        """See ObjectStore.link; the store is not asked for it."""
        return self._store.link(
            key,
            file_name=file_name,
            content_type=content_type,
            valid_s=valid_s,
            is_inline=is_inline,
        )

    def sweep(self, older_than_s: float) -> int:
        """See ObjectStore.sweep."""
        with self._calls.storage("list"):
            return self._store.sweep(older_than_s)

    def check(self) -> None:
        """See ObjectStore.check."""
        with self._calls.storage("look"):
            self._store.check()

    def _listed(self, listing: Iterator[ObjectInfo]) -> Iterator[ObjectInfo]:
        is_first = True
        while True:
            with self._calls.storage("list", is_timed=is_first):
                info = next(listing, None)
            if info is None:
                return
            is_first = False
            yield info

    @contextmanager
    def _streamed(self, operation: Operation, opened: AbstractContextManager[T]) -> Iterator[T]:
        """Time what it takes to begin; what goes wrong later is counted, too."""
        stack = ExitStack()
        with self._calls.storage(operation):
            inside = stack.enter_context(opened)
        with self._calls.storage(operation, is_timed=False), stack:
            yield inside
