"""``midifarm serve``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from coordinator.cli.options import with_settings
from coordinator.logs import configure_logging
from coordinator.serve import Service
from coordinator.serve import serve as run_service
from coordinator.settings import ServiceSettings


@with_settings(ServiceSettings)
def serve(
    settings: ServiceSettings,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one line {url, token, data_dir, page} once it is ready."
        ),
    ] = False,
) -> None:
    """Run the whole service on this machine: the API, the dispatcher, and a database of its own."""
    configure_logging(settings.log_format)
    run_service(settings, _tell_json if as_json else _tell)


def _tell_json(service: Service) -> None:
    plain = {
        "url": service.url,
        "token": service.token,
        "data_dir": str(service.data_dir),
        "page": _page(service),
    }
    sys.stdout.write(json.dumps(plain) + "\n")
    sys.stdout.flush()


def _page(service: Service) -> str:
    """The address of the page; what stands behind the # is sent to no server and in no log."""
    return f"{service.url}/#token={service.token}"


def _tell(service: Service) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"midifarm serves [bold]{service.url}[/] from {service.data_dir}\n")
    console.print("Open this in a browser; it signs you in:\n")
    console.print(f"    {_page(service)}\n", markup=False)
    console.print("Or use it from another terminal:\n")
    console.print(f"    export MIDIFARM_URL={service.url}", markup=False)
    console.print(f"    export MIDIFARM_TOKEN={service.token}", markup=False)
    console.print("    midifarm submit SONG.mid --audio SONG.wav --watch\n", markup=False)
    console.print("Ctrl+C ends it; nothing that was accepted is lost.")
    sys.stdout.flush()
