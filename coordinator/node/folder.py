"""The folder of a node: whose it is, and what an earlier node left in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from pathlib import Path
from typing import Final, Self

from coordinator.processes import end_marked
from shared.errors import InputError

MARK: Final = "MIDIFARM_STARTED_IN"
"""In the environment of all that belongs to a node: by it the next one knows what is left."""

_LOCK: Final = "node.lock"
_POLITE_S: Final = 5.0
"""A node whose supervisor was killed ends in less."""
_LONGEST: Final = 44
"""Sockets below it have paths of 107 characters at most, of which Ray takes the rest."""


class NodeFolder:
    """A folder in use, and empty at first; it goes with close()."""

    def __init__(self, path: Path) -> None:
        """Make it, and end and remove what a node that was killed has left in it.

        Raises:
            InputError: It cannot be used, or another node uses it.
            MidifarmError: Something of an earlier node cannot be ended.
        """
        self.path = path.absolute()
        self._lock = -1
        if len(os.fsencode(self.path)) > _LONGEST:
            raise InputError(
                f"{self.path} is too long a name for a node's folder, in which sockets lie: at "
                f"most {_LONGEST} characters. Choose another one with --node-dir."
            )
        try:
            self._take()
        except OSError as exc:
            raise InputError(
                f"{self.path} cannot be the node's folder: {exc.strerror}. Choose another one with "
                "--node-dir or MIDIFARM_NODE_DIR."
            ) from exc
        try:
            end_marked(MARK, str(self.path), polite_s=_POLITE_S)
            self._clear()
        except BaseException:  # a signal to stop, above all
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it with all that is in it; a second time does no harm."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    @property
    def log(self) -> Path:
        """What Ray says when it starts and ends a node."""
        return self.path / "node.log"

    @property
    def mark(self) -> dict[str, str]:
        """What the environment of all that belongs to the node contains."""
        return {MARK: str(self.path)}

    def _take(self) -> None:
        while self._lock < 0:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.lstat()
            if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
                raise InputError(
                    f"{self.path} belongs to somebody else. Choose another folder for the node "
                    "with --node-dir or MIDIFARM_NODE_DIR."
                )
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                raise InputError(
                    f"Another node runs in {self.path}. End it with `midifarm cluster leave`, or "
                    "choose another folder with --node-dir."
                ) from None
            if _is_at(lock, self.path / _LOCK):
                os.write(lock, f"{os.getpid()}\n".encode())
                os.truncate(lock, os.lseek(lock, 0, os.SEEK_CUR))
                self._lock = lock
            else:
                os.close(lock)  # who had it has just removed it

    def _clear(self) -> None:
        for path in self.path.iterdir():
            if path.name == _LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def supervisor_in(path: Path) -> int | None:
    """The process that supervises the node of a folder; None where there is none."""
    try:
        lock = os.open(path / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        told = os.read(lock, 32).strip()
        return int(told) if told.isdigit() else None
    finally:
        os.close(lock)
    return None


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
