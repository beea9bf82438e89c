"""A service of a test's own: the real command, started, looked into, and ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "coordinator.cli"]
READY_S = 60.0


def clean_environment(**changes: str) -> dict[str, str]:
    """Our environment without any setting of midifarm or Ray."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIDIFARM_", "RAY_")) and name not in ("FORCE_COLOR", "COLUMNS")
    }
    return {**inherited, "PYTHONPATH": str(ROOT), **changes}


def midifarm(
    *arguments: str | Path, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**(environment or {})),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
    """Wait for something that no signal tells of; what the condition returned."""
    until_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until_s, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


class Serving:
    """``midifarm serve`` in a process of its own."""

    def __init__(
        self, data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it; it need not be ready yet."""
        self.data_dir = data_dir
        self.errors = data_dir.with_suffix(".err")
        self.url = self.token = self.page = ""
        self._began_s = time.monotonic()
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--data-dir", data_dir, "--port", "0", "--json", *arguments],
                cwd=data_dir.parent,
                env=clean_environment(**(environment or {})),
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def wait_until_ready(self) -> float:
        """Wait for the line that it prints; how many seconds that took from the start."""
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], READY_S)
        line = self.process.stdout.readline() if readable else b""
        assert line, f"it is not ready: {self.errors.read_text()}"
        took_s = time.monotonic() - self._began_s
        told = json.loads(line)
        self.url, self.token, self.page = told["url"], told["token"], told["page"]
        assert Path(told["data_dir"]) == self.data_dir
        return took_s

    @property
    def client(self) -> dict[str, str]:
        """The environment of a client."""
        return {"MIDIFARM_URL": self.url, "MIDIFARM_TOKEN": self.token}

    def tree(self) -> set[psutil.Process]:
        """It and everything below it."""
        parent = psutil.Process(self.process.pid)
        return {parent, *parent.children(recursive=True)}

    def child(self, name: str) -> psutil.Process | None:
        """The process that runs a command, or PostgreSQL."""
        for process in psutil.Process(self.process.pid).children():
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if name in line[-1:] + line[-3:-2] or (line[:1] and line[0].endswith(f"/{name}")):
                return process
        return None

    def stop(self) -> float:
        """End it politely; how many seconds that took."""
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        return time.monotonic() - began_s

    def destroy(self) -> None:
        """End it and what it started, in whatever state a test has left it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def alive(processes: set[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; psutil tells a later process with the same number apart."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def wait_for_the_end_of(processes: set[psutil.Process], timeout_s: float = 30.0) -> None:
    """Wait until these have ended; what has not is named."""
    until_s = time.monotonic() + timeout_s
    while left := alive(processes):
        if time.monotonic() > until_s:
            raise AssertionError(f"still there: {[each.cmdline() for each in left]}")
        time.sleep(0.05)


def naming(folder: Path) -> list[psutil.Process]:
    """Every process whose command line or environment names a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(word == str(folder) or word.startswith(f"{folder}/") for word in words):
            found.append(process)
    return found
