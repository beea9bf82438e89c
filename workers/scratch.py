"""Scratch: where a process keeps temporary files, so that they can be removed after its death.

A process that is killed cannot tidy up. So each has a folder of its own, which it holds locked
as long as it lives: a folder that can be locked belongs to nobody any more. Unlike a process id,
a lock is not given to somebody else, and it holds across containers that share a disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "midifarm-scratch-"


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A folder below ``root`` that exists as long as the block or the process."""
    folder, lock = _claim(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def use_scratch(root: Path) -> None:
    """Have all temporary files of this process lie in a scratch folder, until it ends."""
    folder, _ = _claim(root)  # the lock ends with the process
    tempfile.tempdir = str(folder)


def sweep_scratch(root: Path) -> int:
    """Remove the folders of processes that are dead; how many there were."""
    swept = 0
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else swept it, or it is not ours
            lock = _open(folder)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                swept += 1
            finally:
                os.close(lock)
    return swept


def _claim(root: Path) -> tuple[Path, int]:
    """Make a folder and lock it; the descriptor that holds the lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        try:
            lock = _open(folder)
        except FileNotFoundError:
            continue  # swept before it was locked
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
