"""The socket that a service listens on."""

from __future__ import annotations

import errno
import socket
from typing import Final

from shared.errors import InputError

_BACKLOG: Final = 1024
"""Connections that wait while the API is being replaced."""
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; the caller closes it.

    Args:
        host: A name or an address of this machine.
        port: 0 takes any free one.

    Raises:
        InputError: There is no such address here, or the port is taken.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as exc:
        number = exc.errno if isinstance(exc, OSError) else None
        if number == errno.EADDRINUSE:
            raise InputError(
                f"Port {port} of {host} is taken. Stop what uses it, or choose another one with "
                "--port (0 takes any free one)."
            ) from exc
        # Python adds the address once more, in brackets.
        told = (exc.strerror or str(exc)) if isinstance(exc, OSError) else "it is no host name"
        reason = told.partition(" (while attempting")[0]
        raise InputError(
            f"Cannot listen on port {port} of {host}: {reason}. Choose others with --host and "
            "--port."
        ) from exc


def url_of(listening: socket.socket) -> str:
    """Where a client on this machine reaches a socket that listens."""
    host, port = listening.getsockname()[:2]
    host = _WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
