"""Putting a finished video where it was asked for: whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shared.errors import InputError, StorageFullError
from shared.storage import ObjectStore


def check_output(path: Path, *, overwrite: bool) -> None:
    """Find out before rendering whether a file could be put there.

    Raises:
        InputError: It could not; the message says what to do.
    """
    folder = path.parent
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file in it.")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no ordinary file and cannot be replaced.")
        if (path.exists() or path.is_symlink()) and not overwrite:
            raise _taken(path)
    except OSError as exc:  # such as a name that is too long
        raise InputError(f"{path} cannot be written: {exc.strerror or exc}.") from exc
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to put the video in.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise InputError(f"Nothing can be written to {folder}: {exc.strerror or exc}.") from exc


def publish(store: ObjectStore, key: str, path: Path, *, overwrite: bool) -> None:
    """Copy an object to a path: to a hidden neighbour first, then renamed in one step.

    Raises:
        StorageFullError: There is no space left; nothing was left behind.
        InputError: The path cannot be written, or was taken meanwhile.
    """
    with new_file(path, overwrite=overwrite) as target, store.reader(key) as source:
        shutil.copyfileobj(source, target, 1 << 20)


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A file that gets its name when the block ends well, and otherwise never existed.

    Raises:
        StorageFullError: There is no space left; nothing was left behind.
        InputError: The path cannot be written, or was taken meanwhile.
    """
    handle, name = -1, ""
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:32]}.", suffix=".part", dir=path.parent
        )
        with os.fdopen(handle, "w+b") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        Path(name).chmod(0o666 & ~_umask())
        _name(Path(name), path, overwrite=overwrite)
    except FileExistsError as exc:
        raise _taken(path) from exc
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"There is no space left for {path}.") from exc
        raise InputError(f"{path} cannot be written: {exc.strerror or exc}.") from exc
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def _name(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished file its name in one step."""
    if not overwrite:
        try:
            path.hardlink_to(temporary)  # fails where somebody was faster, unlike a rename
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if path.exists():
                raise _taken(path) from None
        else:
            return
    temporary.replace(path)


def _taken(path: Path) -> InputError:
    return InputError(f"{path} exists already; give --overwrite to replace it.")


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
