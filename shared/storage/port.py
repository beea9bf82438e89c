"""What midifarm asks of an object store.

One conformance suite (``tests/store_conformance.py``) holds every implementation
to the sentences below.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What is known of a stored object without reading it."""

    key: str
    """The object's key, as it was written."""
    size_bytes: int
    """Length of the object."""
    modified_at: datetime
    """When it was last written (aware, UTC)."""


class ObjectStore(Protocol):
    """A flat map from keys to immutable bytes.

    A key is one to eight names joined by ``/``; a name is one to 200 of ``a-z A-Z 0-9 . _ -``
    and does not begin with a dot; a key has at most 512 characters. Anything else raises
    InvalidKeyError before the store is touched. Keys are whole: ``a`` and ``a/b`` can both hold
    an object, and neither knows of the other. An object appears whole or not at all, and a
    second write to the same key replaces the first at once; who is reading the first reads it to
    its end. Failures of the store itself raise StorageError; a full one raises StorageFullError.
    """

    def writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Stream bytes into ``key``: published when the block ends, discarded if it raises.

        Bytes go from first to last, without seeking: what must seek writes a file of its own and
        hands it to put_file.
        """
        ...

    def reader(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Stream the object's bytes, from first to last. Raises ObjectNotFoundError."""
        ...

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store a small object from memory."""
        ...

    def get_bytes(self, key: str) -> bytes:
        """Read a small object into memory. Raises ObjectNotFoundError."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of the file at ``path``. Raises OSError if that cannot be read."""
        ...

    def as_file(self, key: str) -> AbstractContextManager[Path]:
        """The object as a local file to read, valid inside the block. Raises ObjectNotFoundError.

        The local-folder store lends its own file, others a temporary copy: never write to it.
        """
        ...

    def stat(self, key: str) -> ObjectInfo:
        """Size and time of the object. Raises ObjectNotFoundError."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the key holds an object."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; a key without one is no error."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key begins with ``prefix``, in the order of their keys.

        A prefix may end in the middle of a name; InvalidKeyError is raised at once for one that
        no key begins with.
        """
        ...
