"""A web server on https for tests, with a certificate of its own for ``images.test``."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "images.test"
CERTIFICATE = Path(__file__).parent / "certificates" / "images.test.pem"
"""Certificate and key, valid until 2126, for tests alone; made anew by

``openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
-keyout key.pem -out cert.pem -subj "/CN=midifarm tests" -addext "subjectAltName=DNS:images.test"
-addext "keyUsage=critical,digitalSignature,keyCertSign"``
"""

Reply = Callable[["Visit"], None]


class Visit(BaseHTTPRequestHandler):
    """One request to the server."""

    protocol_version = "HTTP/1.1"
    server: Web

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Host", "")))
        self.close_connection = True
        self.server.replies[self.path](self)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be silent."""


class Web(ThreadingHTTPServer):
    """Serves what ``replies`` has for a path."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        """Listen on any free port of an address."""
        super().__init__((address, 0), Visit)
        self.replies: dict[str, Reply] = {}
        self.seen: list[tuple[str, str]] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def url(self, path: str, host: str = HOST) -> str:
        """An address that leads here, if its host does."""
        return f"https://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes, **headers: str) -> str:
        """Serve bytes; their address."""
        self.replies[path] = lambda visit: visit.answer(200, body, **headers)
        return self.url(path)

    def handle_error(self, *_: object) -> None:
        """Clients that go away are part of the tests."""


@contextmanager
def running(address: str) -> Iterator[Web]:
    """A server inside the block, on a loopback address."""
    with Web(address) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def trusting() -> ssl.SSLContext:
    """Whom a client of that server trusts: it alone."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    return context
