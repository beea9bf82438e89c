"""A receiver of webhooks for tests: an HTTP server on loopback that remembers what it was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.api import WITHIN_S


@dataclass(frozen=True)
class Told:
    """One request to a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Of the delivery."""
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        """What it says."""
        return json.loads(self.body)


class _Visit(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.take(Told(self.path, headers, body))
        if status is None:
            self.server.closed.wait(WITHIN_S)  # no answer while the test runs
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be silent."""


class Receiver(ThreadingHTTPServer):
    """Answers 204, but for the statuses in ``answers``, which come first; None hangs."""

    daemon_threads = True

    def __init__(self, address: str, *answers: int | None) -> None:
        """Listen on any free port of an address."""
        super().__init__((address, 0), _Visit)
        self.answers = list(answers)
        self.told: list[Told] = []
        self.closed = threading.Event()
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it is told."""
        address, port = self.server_address[:2]
        return f"http://{address!s}:{port}/hook"

    def take(self, told: Told) -> int | None:
        """Remember what came; the answer."""
        with self._changed:
            self.told.append(told)
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else 204

    def wait(self, count: int = 1) -> list[Told]:
        """What it was told, as soon as that is so much."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, WITHIN_S), self.told
            return list(self.told)

    def handle_error(self, *_: object) -> None:
        """Clients that go away are part of the tests."""


@contextmanager
def receiving(*answers: int | None, address: str = "127.0.0.2") -> Iterator[Receiver]:
    """A receiver inside the block."""
    with Receiver(address, *answers) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.closed.set()
            receiver.shutdown()
            thread.join()
