"""As whom a server runs that refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from shared.errors import InputError

_NOBODY: Final = 65534
"""The number of ``nobody`` on every Linux."""

_NAMESPACE: Final = (
    *("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"),
    "--",
)
"""In a user namespace root's own files belong to nobody: nothing changes hands, and folders that
only root may enter are no hindrance. Containers often forbid it."""

_PROBE_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAccount:
    """As whom a server runs, and who owns its files."""

    uid: int | None = None
    """None stays what we are."""
    gid: int | None = None
    """None stays what we are."""
    prefix: tuple[str, ...] = ()
    """What its command line begins with."""

    @property
    def groups(self) -> list[int] | None:
        """The other groups that it belongs to: none, or those that we belong to."""
        return None if self.uid is None else []

    def own(self, path: Path | int) -> None:
        """Hand over a file or a folder, or an open file, to the server."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def own_tree(self, folder: Path) -> None:
        """Hand over a folder and all that is in it."""
        if self.uid is None or self.gid is None or folder.stat().st_uid == self.uid:
            return
        for parent, _, files in os.walk(folder, topdown=False):
            for name in files:
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)
            os.chown(parent, self.uid, self.gid)

    def try_program(self, program: Path, folder: Path) -> str:
        """Start a program as this account from within a folder, and have it tell its version.

        Raises:
            InputError: It cannot be started, or cannot enter the folder.
        """
        script = 'cd "$1" && exec "$2" --version'
        command = [*self.prefix, "sh", "-c", script, "sh", str(folder), str(program)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PROBE_S,
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )
        except (OSError, subprocess.SubprocessError) as exc:
            raise InputError(f"{program} cannot be started: {exc}.") from exc
        if done.returncode != 0:
            raise InputError(f"{program} cannot be started: {done.stderr.strip()}.")
        return done.stdout.strip()


def choose_account(folder: Path, program: Path) -> ServerAccount:
    """As whom to run a program that keeps its files in a folder.

    An ordinary user stays what they are. Root becomes the folder's owner where that is somebody
    else, so that the same folder can be used by root and by its owner in turn; otherwise root in
    a user namespace; and where there are none, nobody.

    Raises:
        InputError: Nothing works; the message says what to do.
    """
    if os.geteuid() != 0:
        return _ordinary(os.geteuid(), ServerAccount(), program, folder)
    status = folder.stat()
    if status.st_uid != 0:
        owner = ServerAccount(uid=status.st_uid, gid=status.st_gid)
        return _ordinary(status.st_uid, owner, program, folder)
    namespace = ServerAccount(prefix=_NAMESPACE)
    nobody = ServerAccount(uid=_NOBODY, gid=_NOBODY)
    try:
        namespace.try_program(program, folder)
    except InputError as refused:
        try:
            nobody.try_program(program, folder.parent)
        except InputError as exc:
            raise InputError(
                "PostgreSQL refuses to run as root, and can be run neither in a user namespace "
                f"({refused.message}) nor as nobody ({exc.message}). Run midifarm as an ordinary "
                f"user, or put its data where everybody may enter: {folder.parent} and the "
                f"folders above it, and those above {program}, need the mode 0755."
            ) from exc
        nobody.own(folder)
        return nobody
    return namespace


def _ordinary(uid: int, account: ServerAccount, program: Path, folder: Path) -> ServerAccount:
    """The account of a user other than root, if it works; a name is lent to who has none."""
    account.try_program(program, folder)
    try:
        pwd.getpwuid(uid)
    except KeyError:
        # A container may run as any number, and initdb asks for its name.
        named = replace(account, prefix=_NAMESPACE)
        with suppress(InputError):  # a database that exists can be served without a name
            named.try_program(program, folder)
            return named
    return account
