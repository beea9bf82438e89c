"""The folder of an embedded PostgreSQL: who may use it, and what lies in it beside the data.

``lock`` is ours: a second midifarm fails on it at once. ``server.lock`` is handed down on purpose
to every process of the server, and is free when the last of them has gone: whoever starts after a
crash waits for that, so that never do two servers write to one folder. ``socket`` is a folder
that only the server's user and root may enter.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from coordinator.postgres.account import ServerAccount, choose_account
from shared.errors import DatabaseError, InputError

PORT: Final = 5432
"""Part of the socket's name; nothing listens on it."""

_SOCKET_PATH_BYTES: Final = 107
"""sizeof(sockaddr_un.sun_path) - 1, see unix(7)."""
_TEMPORARY: Final = Path("/tmp")  # noqa: S108
_PREFIX: Final = "midifarm-postgres-"
_LOG_BYTES: Final = 10 << 20

_PREDECESSOR_S: Final = 10.0
"""A server whose midifarm was killed shuts down in much less."""
_TICK_S: Final = 0.02


class ServerFolder:
    """A folder that one midifarm at a time keeps a server in: between take() and release()."""

    def __init__(self, path: Path) -> None:
        """Nothing is made or read before take()."""
        self.path = path
        self.data = path / "data"
        self.log = path / "postgres.log"
        self.account = ServerAccount()
        """As whom the server runs; known after take()."""
        self.socket: Path | None = None
        """The socket's folder, from make_socket() to release()."""
        self._lock: int | None = None

    @property
    def taken(self) -> bool:
        """Whether the folder is ours."""
        return self._lock is not None

    def take(self, program: Path) -> None:
        """Make the folder ours, and nobody else's, until release().

        Args:
            program: What will run in it.

        Raises:
            InputError: It cannot be ours, or the program cannot be run.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise InputError(
                f"The database cannot be kept in {self.path}: {exc.strerror}. Choose another "
                "data folder, or have this one's owner and mode changed."
            ) from exc
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._lock)
            self._lock = None
            raise InputError(
                f"Another midifarm is using {self.path}. Stop it first, or choose another data "
                "folder."
            ) from exc
        self.account = choose_account(self.path, program)
        self.account.own(self._lock)

    def release(self) -> None:
        """Give the folder back; harmless where it is not ours."""
        if self._lock is not None:
            self._remove_socket()
            os.close(self._lock)
            self._lock = None

    def wait_for_predecessor(self) -> int:
        """The server's lock, open for it to inherit, once no process of an earlier one is left.

        Raises:
            DatabaseError: One is still there after a while.
        """
        lock = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.account.own(lock)
        deadline_s = time.monotonic() + _PREDECESSOR_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                if time.monotonic() > deadline_s:
                    os.close(lock)
                    raise DatabaseError(
                        f"The server of an earlier midifarm still runs in {self.path}. Wait "
                        "until it has shut down, or end its processes."
                    ) from exc
            else:
                return lock
            time.sleep(_TICK_S)

    def forget_predecessor(self) -> None:
        """Remove the note of a server that was killed.

        PostgreSQL takes any process of its user that has the noted number for that server. No
        server of ours is left by now; one that somebody started by hand may be.

        Raises:
            InputError: One is.
        """
        note = self.data / "postmaster.pid"
        if not note.exists():
            return
        first = note.read_text(errors="replace").partition("\n")[0].strip()
        if first.isdecimal() and _is_server(int(first), self.data):
            raise InputError(
                f"A PostgreSQL that midifarm did not start (process {first}) is using "
                f"{self.data}. Stop it first."
            )
        note.unlink()

    def make_socket(self) -> None:
        """Make a private folder for the socket: ours, or a short one that ours points to."""
        if self.socket is not None:  # whoever knows the old one can go on after a restart
            return
        self._remove_socket()
        place = self.path / "socket"
        # Both the server and its clients take these for lists of folders.
        plain = not {",", '"'}.intersection(str(place))
        if plain and len(os.fsencode(place / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_BYTES:
            place.mkdir(mode=0o700)
            self.socket = place
        else:
            self.socket = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_TEMPORARY))
            place.symlink_to(self.socket)
        self.account.own(self.socket)

    def open_log(self) -> int:
        """The log, open for appending; a long one is set aside, and an older one given up."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.account.own(log)
        return log

    def _remove_socket(self) -> None:
        """Remove the socket's folder, also one that a midifarm which was killed left behind."""
        place = self.path / "socket"
        if place.is_symlink():
            short = place.readlink()
            if short.parent == _TEMPORARY and short.name.startswith(_PREFIX):
                shutil.rmtree(short, ignore_errors=True)
            place.unlink()
        elif place.exists():
            shutil.rmtree(place)
        self.socket = None


def _is_server(pid: int, data: Path) -> bool:
    """Whether a process is a PostgreSQL server that uses this data, or may be one."""
    process = Path("/proc", str(pid))
    try:
        name = (process / "cmdline").read_bytes().partition(b"\0")[0]
    except OSError:
        return False
    if Path(os.fsdecode(name)).name not in ("postgres", "postmaster"):
        return False
    try:
        return (process / "cwd").readlink() == data.resolve()  # where every server goes first
    except FileNotFoundError:
        return False
    except OSError:  # it is somebody else's
        return True
