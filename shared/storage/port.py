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
    its end, or fails, and never reads a mix. Failures of the store itself raise StorageError; a
    full one raises StorageFullError. A store may be shared between threads and pickled.
    """

    def writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Stream bytes into ``key``: published when the block ends, discarded if it raises.

        Bytes go from first to last, without seeking: what must seek writes a file of its own and
        hands it to put_file.
        """
        ...

    def reader(
        self, key: str, start: int = 0, stop: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """Stream the object's bytes ``[start, stop)``, from first to last.

        What lies beyond the object's end is left out; that may leave no byte. Raises
        ObjectNotFoundError, and ValueError for a negative number.
        """
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

    def link(
        self,
        key: str,
        *,
        file_name: str,
        content_type: str,
        valid_s: int,
        is_inline: bool = False,
    ) -> str | None:
        """An address from which anybody can download the object; None if the store has none.

        It is not looked whether there is such an object. The address stops working after
        ``valid_s`` seconds (1 to 604,800); a download is saved as ``file_name``, and a browser
        shows it instead where it ``is_inline``. Raises ValueError for another time, or for what
        is no media type.
        """
        ...

    def sweep(self, older_than_s: float) -> int:
        """Remove what writers that died have left behind; how many leftovers there were.

        Only what nobody has added to for ``older_than_s`` seconds is removed. The local folder
        also sees whether its writer lives, so a few seconds are enough; a bucket cannot, so give
        longer than any writer pauses there: an hour.
        """
        ...

    def check(self) -> None:
        """Return if the store can be used; one or two quick requests.

        Raises:
            InputError: if whoever set it up has to mend something, as the message says.
            StorageError: if it cannot be reached now.
        """
        ...
