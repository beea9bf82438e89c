"""One process of a service: started, watched, started again after a pause, and stopped."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from coordinator.processes import die_with_parent
from shared.errors import InputError, MidifarmError

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0
_HEALTHY_S: Final = 60.0
"""After so long a life the next death counts as the first."""
_LOG_BYTES: Final = 10 << 20
_TAIL_BYTES: Final = 16 << 10
_TAIL_LINES: Final = 8
_TOLD: Final = re.compile(r"^midifarm: (.+)$", re.MULTILINE)


class Backoff:
    """How long to wait before the next start: ever longer, until one lives for a while."""

    def __init__(self) -> None:
        """Begin with short pauses."""
        self._pause_s = _FIRST_PAUSE_S

    def pause_s(self, lived_s: float) -> float:
        """The pause after a life of so many seconds."""
        if lived_s >= _HEALTHY_S:
            self._pause_s = _FIRST_PAUSE_S
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return pause_s


# -P: what lies in the current folder is none of our modules.
MIDIFARM: Final = (sys.executable, "-P", "-m", "coordinator.cli")
"""The command ``midifarm``."""


class Child:
    """A process of ours; it dies with us.

    Start it from the main thread: the kernel ends it when the thread ends that started it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Prepare a child.

        Args:
            name: What it is called in messages.
            command: What it runs; never a secret, since anybody can read it.
            log: The file that what it writes is appended to.
            environment: All of its environment.
            pass_fds: Open files that are handed down.
        """
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = dict(environment)
        self._pass_fds = tuple(pass_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._log_began = 0
        self._backoff = Backoff()

    @property
    def pid(self) -> int | None:
        """Its process number, also after its death; None before it was started."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it.

        Raises:
            MidifarmError: The system refuses.
        """
        self.trim_log()
        try:
            log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise InputError(f"{self.log} cannot be written: {exc.strerror}.") from exc
        try:
            self._log_began = os.fstat(log).st_size
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=self._pass_fds,
                # Ctrl+C in a terminal is for us: we end the children in their order.
                start_new_session=True,
                preexec_fn=functools.partial(die_with_parent, signal.SIGTERM, os.getpid()),
            )
        except (OSError, subprocess.SubprocessError) as exc:
            raise MidifarmError(f"The {self.name} cannot be started: {exc}.") from exc
        finally:
            os.close(log)
        self._began_s = time.monotonic()

    def poll(self) -> int | None:
        """Its exit status; None while it lives, or before it was started."""
        return None if self._process is None else self._process.poll()

    def next_pause_s(self) -> float:
        """How long to wait before it is started again; ask once after each death."""
        return self._backoff.pause_s(time.monotonic() - self._began_s)

    def send(self, number: signal.Signals) -> None:
        """Signal it, if it lives."""
        if self._process is not None:
            self._process.send_signal(number)

    def trim_log(self) -> None:
        """Move a log that has grown too long aside; also while the child writes to it."""
        try:
            if self.log.stat().st_size > _LOG_BYTES:
                shutil.copyfile(self.log, self.log.with_suffix(".log.old"))
                os.truncate(self.log, 0)
                self._log_began = 0
        except FileNotFoundError:
            return

    def has_said(self, words: str) -> bool:
        """Whether something is among the last that it wrote since it was started."""
        return words in self._tail()

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(min(self._log_began, end), end - _TAIL_BYTES))
            return log.read().decode(errors="replace")

    def last_words(self) -> str:
        """What it said at last: the error that it ended with, or else the end of its log."""
        text = self._tail()
        told = _TOLD.findall(text)
        if told:
            return str(told[-1])
        lines = text.strip().splitlines()[-_TAIL_LINES:]
        return " | ".join(lines) or f"it said nothing and ended with status {self.poll()}"
