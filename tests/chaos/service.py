"""The service under attack: ``midifarm serve`` in a folder of its own, and who is who in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
import psutil  # type: ignore[import-untyped]
import psycopg

from coordinator.serve.folder import MARK
from tests.chaos.clock import ChaosError, Clock

_READY_S: Final = 120.0
_STOP_S: Final = 10.0
_HARD_STOP_S: Final = 30.0
_RAY_FOLDERS: Final = Path("/tmp")  # noqa: S108


class Victim(StrEnum):
    """What can be killed."""

    DISPATCHER = "dispatcher"
    API = "api"
    POSTGRES = "postgres"
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """How a service ended when it was told to."""

    code: int | None
    """Its exit code; None where it had to be killed."""
    took_s: float
    """From SIGTERM to the end."""
    left: tuple[str, ...]
    """Processes and folders that it left behind."""


class Service:
    """One ``midifarm serve``; a context manager that ends it whatever happens."""

    def __init__(self, folder: Path, clock: Clock, *, workers: int) -> None:
        """Prepare to serve from ``folder`` with so many render processes."""
        self.data = folder / "data"
        self._log = folder / "serve.log"
        self._clock = clock
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None
        self._dispatchers: set[int] = set()
        self.url = self.token = self.database_url = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _start(self) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MIDIFARM_")}
        told = self._log.with_suffix(".json")
        with self._log.open("wb") as log, told.open("wb") as answer:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "coordinator.cli", "serve", "--json", "--port", "0"),
                    *("--data-dir", str(self.data), "--workers", str(self._workers)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=log,
                env=inherited,
            )
        process = self._process

        def ready() -> Any:
            if process.poll() is not None:
                raise ChaosError(f"The service did not start: {self._log.read_text()[-2000:]}")
            text = told.read_text()
            return json.loads(text) if text.endswith("\n") else None

        found = self._clock.wait_for(ready, "the service to be ready", within_s=_READY_S)
        self.url, self.token = found["url"], found["token"]
        dispatcher = self.pid_of(Victim.DISPATCHER)
        assert dispatcher is not None
        self._dispatchers.add(dispatcher)
        # Nobody else is told the address of the embedded server.
        self.database_url = psutil.Process(dispatcher).environ()["MIDIFARM_DATABASE_URL"]

    # Who is who

    def pid_of(self, victim: Victim) -> int | None:
        """The process that is this part of the service at the moment; None while there is none."""
        if victim is Victim.POSTGRES:
            with suppress(OSError, ValueError, IndexError):
                note = self.data / "postgres" / "data" / "postmaster.pid"
                return int(note.read_text().splitlines()[0])
            return None
        command = {Victim.DISPATCHER: "dispatch", Victim.API: "api"}[victim]
        for child in self._below(recursive=False):
            line = _command_line(child)
            if "coordinator.cli" in line and command in line:
                return int(child.pid)
        return None

    def busy_workers(self) -> list[int]:
        """The processes that render a chunk at this moment."""
        return self._workers_named("ray::render_chunk")

    def workers(self) -> list[int]:
        """The processes of Ray that work or wait for work."""
        return self._workers_named("ray::")

    def _workers_named(self, beginning: str) -> list[int]:
        found = []
        for child in self._below():
            line = _command_line(child)
            if line and line[0].startswith(beginning):
                found.append(child.pid)
        return sorted(found)

    def _below(self, *, recursive: bool = True) -> list[psutil.Process]:
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._process.pid).children(recursive=recursive))
        return []

    # How it stands

    def query(self, text: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the service's database, read only.

        Raises:
            psycopg.Error: It cannot be asked at the moment.
        """
        with psycopg.connect(
            self.database_url, row_factory=psycopg.rows.dict_row, connect_timeout=5
        ) as connection:
            connection.read_only = True
            return connection.execute(text, values).fetchall()

    def is_back(self, victim: Victim, before: int) -> int | None:
        """The process that has taken the place of a victim, once it does its work.

        Args:
            victim: What was killed; no worker.
            before: The process that was killed.
        """
        pid = self.pid_of(victim)
        if pid is None or pid == before:
            return None
        if victim is Victim.DISPATCHER:
            self._dispatchers.add(pid)
        with suppress(psycopg.Error, httpx.TransportError):
            if victim is Victim.DISPATCHER:
                row = self.query("select leader, heartbeat_at > now() - interval '3 s' as alive "
                                 "from dispatcher")[0]  # fmt: skip
                leader = str(row["leader"] or "").split()
                return pid if row["alive"] and leader and leader[-1] == str(pid) else None
            if victim is Victim.API:
                answer = httpx.get(self.url + "/readyz", timeout=5, trust_env=False)
                return pid if answer.is_success else None
            self.query("select 1")
            return pid
        return None

    # Its end

    def stop(self) -> Stopped:
        """Tell it to end, and see what it leaves behind."""
        process = self._process
        assert process is not None
        if process.poll() is not None:
            raise ChaosError(f"The service ended by itself with status {process.returncode}.")
        below = self._below()
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code: int | None = None
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(_STOP_S)
        took_s = time.monotonic() - began_s
        left = [*_living(below), *self._marked()]
        folders = [
            folder.name for pid in self._dispatchers for folder in _RAY_FOLDERS.glob(f"mf-{pid}-*")
        ]
        return Stopped(
            code=code,
            took_s=took_s,
            left=(*(f"process {each.pid} {_command_line(each)[:3]}" for each in left), *folders),
        )

    def _marked(self) -> list[psutil.Process]:
        """The processes that know the data folder: by their environment or their command line."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                named = any(str(self.data) in word for word in process.cmdline())
                if named or process.environ().get(MARK) == str(self.data):
                    found.append(process)
        return found

    def _end(self) -> None:
        """End it and everything below it, politely at first."""
        if self._process is None:
            return
        below = self._below()
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_HARD_STOP_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for process in _living(below):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def keep_logs(self, target: Path) -> None:
        """Copy what the service has said to a folder that stays."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        places = [self._log, self.data / "postgres" / "postgres.log"]
        for path in [*places, *(self.data / "logs").glob("*.log")]:
            if path.exists():
                shutil.copyfile(path, target / path.name)


def _command_line(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []


def _living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a later process with the same number does not count."""
    found = []
    for process in processes:
        with suppress(psutil.Error):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
