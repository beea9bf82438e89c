"""The data folder of a service: whose it is, and what an earlier service left in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from typing import Final, Self

from cluster.session import RAY_FOLDERS, RAY_PREFIX
from coordinator.processes import end_marked
from shared.errors import InputError

MARK: Final = "MIDIFARM_SERVED_FROM"
"""In the environment of all that a service starts: by it the next one knows what is left."""

_POLITE_S: Final = 8.0
"""A dispatcher whose service was killed stops its Ray in less."""


class DataFolder:
    """A data folder in use; nobody else gets it until close()."""

    def __init__(self, path: Path) -> None:
        """Make the folder if there is none, and lock it.

        Raises:
            InputError: It cannot be used, or another service uses it.
        """
        self.path = path.absolute()
        self._lock = -1
        try:
            if not self.path.exists():
                # As root its database belongs to another user, who must be able to walk through.
                self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
            for private in (self.logs, self.path / "store"):
                private.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(
                self.path / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as exc:
            raise InputError(
                f"{self.path} cannot be the data folder: {exc.strerror}. Choose another one with "
                "--data-dir or MIDIFARM_DATA_DIR, or have its owner and mode changed."
            ) from exc
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._lock)
            raise InputError(
                f"Another `midifarm serve` is using {self.path}. Stop it first, or choose another "
                "folder with --data-dir."
            ) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the folder go; a second time does no harm."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def logs(self) -> Path:
        """Where the processes' logs are."""
        return self.path / "logs"

    @property
    def token(self) -> Path:
        """The file with the token of the local administrator."""
        return self.path / "token"

    @property
    def mark(self) -> dict[str, str]:
        """What the environment of all that is started from here contains."""
        return {MARK: str(self.path)}

    def note_dispatcher(self, pid: int) -> None:
        """Remember whose Ray folder is to be removed if we cannot do it ourselves."""
        (self.path / "dispatch.pid").write_text(f"{pid}\n")

    def end_leftovers(self) -> None:
        """Wait until all that an earlier service started has ended; end it where it does not.

        Raises:
            MidifarmError: Something cannot be ended.
        """
        end_marked(MARK, str(self.path), polite_s=_POLITE_S)
        self.remove_ray_folder()

    def remove_ray_folder(self) -> None:
        """Remove what the Ray of a dispatcher that is dead has left in the temporary folder."""
        note = self.path / "dispatch.pid"
        with contextlib.suppress(FileNotFoundError):
            pid = note.read_text().strip()
            if pid.isdecimal() and _has_ended(pid):
                for folder in RAY_FOLDERS.glob(f"{RAY_PREFIX}{pid}-*"):
                    if folder.stat().st_uid == os.geteuid():
                        shutil.rmtree(folder, ignore_errors=True)
                note.unlink()


def _has_ended(pid: str) -> bool:
    """Whether a process runs no more, also where nobody has noticed yet."""
    try:
        # The state follows the name, which may hold brackets of its own; see proc(5).
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (OSError, IndexError):
        return True
