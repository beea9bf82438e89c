"""Objects as files that bear the names that musicians gave them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from shared.errors import InputError, ObjectNotFoundError
from shared.storage import ObjectStore

_NAME_BYTES: Final = 200
"""File systems take 255 bytes."""


@contextmanager
def named_file(store: ObjectStore, key: str, name: str) -> Iterator[Path]:
    """The object as a file to read, under its own name: what is said about it calls it so.

    Args:
        store: Where the object is.
        key: Its key.
        name: The name that it was uploaded with; whatever no file can be called is left out.

    Raises:
        ObjectNotFoundError: There is no such object; the message gives the name, not the key.
    """
    with tempfile.TemporaryDirectory(prefix="midifarm-") as folder, ExitStack() as stack:
        link = Path(folder, file_name(name))
        try:
            path = stack.enter_context(store.as_file(key))
        except ObjectNotFoundError as exc:
            raise ObjectNotFoundError(
                f"{link.name} is not in the object store any more; upload it again.", key=key
            ) from exc
        link.symlink_to(path.absolute())
        yield link


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """See that what is said against a file names it: there may be several."""
    try:
        yield
    except InputError as exc:
        if path.name in exc.message:
            raise
        raise type(exc)(f"{path.name}: {exc.message}", **exc.facts) from exc


def file_name(name: str) -> str:
    """A name that a file can have: without folders and unprintable characters, not too long."""
    base = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(char for char in base if char.isprintable()).strip()
    if len(printable.encode()) > _NAME_BYTES:
        stem, dot, suffix = printable.rpartition(".")
        tail = (dot + suffix) if stem and len(suffix) < 16 else ""
        room = _NAME_BYTES - len(tail.encode())
        printable = printable.encode()[:room].decode(errors="ignore") + tail
    return printable if printable.strip(".") else "file"
