"""The log of an attempt: what is said while it is made, kept in the object store as JSON lines.

It is kept however the attempt ends, unless its process dies. It never holds up the work: a thread
stores it afterwards, and gives up what piles up before a store that is slow or down.
"""

from __future__ import annotations

import io
import json
import logging
import os
import queue
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from cluster.errand import Errand
from shared.errors import CancelledError
from shared.logs import JsonFormatter
from shared.storage import ObjectStore

_log = logging.getLogger(__name__)

END_BYTES: Final = 256 * 1024
"""What is kept of a log's beginning, and again of its end."""
_LINE_BYTES: Final = 32 * 1024
"""No line is longer: a library may print without ever ending one."""
_STDERR: Final = 2
"""Where libraries print, whatever Python's sys.stderr is."""
_WAITING: Final = 16
"""Logs that wait to be stored; whatever comes beyond them is lost."""


class Ends:
    """The first lines and the last ones of a text of any length."""

    def __init__(self, most_bytes: int = END_BYTES) -> None:
        """Keep nothing yet, and at each end no more than that."""
        self._most_bytes = most_bytes
        self._first: list[bytes] = []
        self._last: deque[bytes] = deque()
        self._first_bytes = self._last_bytes = 0
        self.dropped = 0
        """Lines in between that were not kept."""

    def add(self, line: bytes) -> None:
        """Keep a line, as long as it is one of the last."""
        line = line[:_LINE_BYTES]
        if not self._last and self._first_bytes + len(line) <= self._most_bytes:
            self._first.append(line)
            self._first_bytes += len(line)
            return
        self._last.append(line)
        self._last_bytes += len(line)
        while self._last_bytes > self._most_bytes:
            self._last_bytes -= len(self._last.popleft())
            self.dropped += 1

    def lines(self) -> Iterator[bytes]:
        """What was kept, with a line for what was not."""
        yield from self._first
        if self.dropped:
            yield json.dumps({"level": "info", "message": f"… {self.dropped} lines …"}).encode()
        yield from self._last


class AttemptLog(logging.Handler):
    """Hears what this process logs and prints on standard error."""

    def __init__(self, errand: Errand, worker: str) -> None:
        """Hear nothing before heard().

        Args:
            errand: Its ids are in every line.
            worker: The process.
        """
        super().__init__(logging.INFO)
        bound = {name: getattr(errand, name) for name in ("export", "chunk", "attempt")}
        self.setFormatter(JsonFormatter(**bound, worker=worker))
        self._ends = Ends()
        self._printed_before = _printed_bytes()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        try:
            self._ends.add(self.format(record).encode(errors="replace"))
        except Exception:
            self.handleError(record)

    def tell(self, message: str, *arguments: object, failed: bool = False) -> None:
        """Add a line of our own, with the exception that is being handled where it failed."""
        level = logging.ERROR if failed else logging.INFO
        record = logging.LogRecord(
            __name__, level, "", 0, message, arguments, sys.exc_info() if failed else None
        )
        self.emit(record)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear whatever is logged inside the block."""
        root = logging.getLogger()
        level = root.level
        root.addHandler(self)
        root.setLevel(min(level or logging.INFO, logging.INFO))
        try:
            yield
        finally:
            root.removeHandler(self)
            root.setLevel(level)
            self._hear_printed()

    def _hear_printed(self) -> None:
        """Keep what libraries printed: libav, drivers, Python's warnings."""
        for line in _printed_since(self._printed_before):
            record = logging.LogRecord("stderr", logging.INFO, "", 0, "%s", (line,), None)
            self.emit(record)

    def text(self) -> bytes:
        """All of it, as JSON lines."""
        return b"".join(line + b"\n" for line in self._ends.lines())


@contextmanager
def logged(
    errand: Errand, worker: str, store: Callable[[], ObjectStore]
) -> Iterator[Callable[[BaseModel], None]]:
    """Keep the log of what happens inside the block; it gives what is called with the report.

    Args:
        errand: Of what, and where it is kept.
        worker: The process.
        store: Opens the object store.
    """
    if errand.log_key is None:
        yield lambda _: None
        return
    _have_libav_tell()
    log = AttemptLog(errand, worker)
    began_s = time.monotonic()
    log.tell("attempt_began kind=%s", errand.kind)

    def tell_report(report: BaseModel) -> None:
        told = " ".join(
            f"{name}={value}" for name, value in report if isinstance(value, int | float | str)
        )
        log.tell("attempt_reports %s", told)

    try:
        with log.heard():
            yield tell_report
    except CancelledError:
        log.tell("attempt_cancelled after_s=%.3f", time.monotonic() - began_s)
        raise
    except BaseException as exc:
        log.tell(
            "attempt_failed after_s=%.3f error=%s", time.monotonic() - began_s, exc, failed=True
        )
        raise
    else:
        log.tell("attempt_done after_s=%.3f", time.monotonic() - began_s)
    finally:
        _keeper().keep(errand.log_key, log.text(), store)


class Keeper:
    """Stores logs, one after the other, in a thread of its own."""

    def __init__(self) -> None:
        """Begin to wait for logs."""
        self._waiting: queue.Queue[tuple[str, bytes, Callable[[], ObjectStore]]] = queue.Queue(
            _WAITING
        )
        threading.Thread(target=self._run, name="attempt-logs", daemon=True).start()

    def keep(self, key: str, text: bytes, store: Callable[[], ObjectStore]) -> bool:
        """Have a log stored; returns at once. False where too many wait: it is lost."""
        try:
            self._waiting.put_nowait((key, text, store))
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        while True:
            key, text, store = self._waiting.get()
            try:
                store().put_bytes(key, text)
            except Exception as exc:  # whatever it is: the attempt has ended long ago
                _log.warning("log_not_kept key=%s error=%s", key, exc)


@cache
def _keeper() -> Keeper:
    return Keeper()


@cache
def _have_libav_tell() -> None:
    """Have libav print what it has to say, which PyAV keeps it from.

    PyAV could hand its messages to Python's logging, but from libav's own threads, which then wait
    for the interpreter while that may wait for them.
    """
    import av.logging

    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.INFO)


def _printed_bytes() -> int | None:
    """The length of this process's standard error; None where it is no file, as Ray has it."""
    status = os.fstat(_STDERR)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _printed_since(before_bytes: int | None) -> Iterator[str]:
    """Lines on standard error after a length, the first and the last ones."""
    now_bytes = _printed_bytes()
    if before_bytes is None or now_bytes is None or now_bytes <= before_bytes:
        return
    with Path(f"/proc/self/fd/{_STDERR}").open("rb") as file:
        parts = [(before_bytes, now_bytes)]
        if now_bytes - before_bytes > 2 * END_BYTES:
            middle = before_bytes + END_BYTES, now_bytes - END_BYTES
            parts = [(before_bytes, middle[0]), (middle[1], now_bytes)]
        for start, stop in parts:
            file.seek(start, io.SEEK_SET)
            for line in file.read(stop - start).decode(errors="replace").splitlines():
                if line.strip():
                    yield line
