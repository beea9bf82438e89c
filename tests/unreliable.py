"""A proxy that damages what passes through it, so that a client shows what it does then."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request."""

    status: int | None = None
    """Answered with this status, and never seen by the server."""
    code: str = "SlowDown"
    """S3's word for it."""
    response_bytes: int | None = None
    """The connection breaks after so much of the answer's body."""
    answer_lost: bool = False
    """The server does it, and the connection breaks before it can say so."""
    damaged: bool = False
    """One bit of the request's body changes on the way."""


Decide = Callable[[str, str], Fault | None]
"""From the method and the target of a request to its fate."""


class UnreliableProxy(AbstractContextManager["UnreliableProxy"]):
    """Stands before a server on this machine; faithful where ``decide`` gives None."""

    def __init__(self, port: int, decide: Decide | None = None) -> None:
        """Prepare a proxy for the server at a port."""
        self.decide: Decide = decide or (lambda _method, _target: None)
        self.requests: list[str] = []
        """Method and target of every request, in order."""
        self.headers: list[Message] = []
        """The header of each."""
        self._lock = threading.Lock()
        self._server = _Server(port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def note(self, method: str, target: str, header: Message) -> Fault | None:
        """Write a request down, and decide on it."""
        with self._lock:
            self.requests.append(f"{method} {target}")
            self.headers.append(header)
        return self.decide(method, target)

    def __enter__(self) -> UnreliableProxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, proxy: UnreliableProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target_port = port
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.note(self.command, self.path, self.headers) or Fault()
        if fault.status is not None:
            self._refuse(fault)
            return
        if fault.damaged:
            body = bytes([body[0] ^ 1]) + body[1:]
        self._pass_on(body, fault)

    def _refuse(self, fault: Fault) -> None:
        assert fault.status is not None
        text = f"<Error><Code>{fault.code}</Code><Message>not now</Message></Error>".encode()
        self.send_response(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _pass_on(self, body: bytes, fault: Fault) -> None:
        server = http.client.HTTPConnection("127.0.0.1", self.server.target_port, timeout=60)
        try:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            data = answer.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            server.close()
        if fault.answer_lost:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if fault.response_bytes is not None:
            data = data[: fault.response_bytes]
            self.close_connection = True
        with suppress(OSError):
            self.wfile.write(data)
