"""``midifarm api``."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import typer

from coordinator.cli.options import with_settings
from coordinator.logs import configure_logging
from coordinator.serve.listening import listen
from coordinator.settings import DispatcherSettings, ServiceSettings, environment
from shared.errors import InputError


@with_settings(ServiceSettings, leave_out=DispatcherSettings.model_fields)
def api(
    settings: ServiceSettings,
    fd: Annotated[
        int | None,
        typer.Option(help="Number of a socket that listens already, instead of --host and --port."),
    ] = None,
) -> None:
    """Run one API process; it keeps nothing, so that any number of them may run side by side."""
    from coordinator.api.server import run_api  # the web framework, which nothing else needs

    configure_logging(settings.log_format)
    _ = settings.database_address  # told at once if it is missing
    # The object store reads its keys from there.
    os.environ.update(environment(settings))
    with listen(settings.host, settings.port) if fd is None else _inherited(fd) as listening:
        run_api(settings, listening)


def _inherited(fd: int) -> socket.socket:
    try:
        return socket.socket(fileno=fd)
    except OSError as exc:
        raise InputError(f"--fd {fd} is no socket that listens: {exc.strerror}.") from exc
