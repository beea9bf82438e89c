"""The ``midifarm`` command: its sub-commands, and how errors are told."""

from __future__ import annotations

import importlib.metadata
import logging
import signal
import sys
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from coordinator.cli.api import api
from coordinator.cli.batch import batch
from coordinator.cli.batches import batches
from coordinator.cli.cluster import cluster
from coordinator.cli.dispatch import dispatch
from coordinator.cli.doctor import doctor
from coordinator.cli.exports import exports
from coordinator.cli.farm import farm
from coordinator.cli.formats import formats
from coordinator.cli.keys import keys
from coordinator.cli.presets import presets
from coordinator.cli.previews import contact_sheet, preview, still
from coordinator.cli.probe import probe
from coordinator.cli.render import render
from coordinator.cli.serve import serve
from coordinator.cli.submit import submit
from coordinator.cli.templates import templates
from coordinator.cli.use import use
from coordinator.cli.webhooks import webhooks
from shared.errors import CancelledError, InputError, MidifarmError, StorageError

app = typer.Typer(
    name="midifarm",
    help="Turn MIDI files and their recordings into music videos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("midifarm"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # its callback does the work
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    # The help text is the application's own.
    pass


app.command()(render)
app.command()(still)
app.command()(contact_sheet)
app.command()(preview)
app.command()(probe)
app.command()(doctor)
app.command()(presets)
app.command()(formats)
app.command()(serve)
app.command()(submit)
app.command()(batch)
app.add_typer(exports, name="exports")
app.add_typer(batches, name="batches")
app.add_typer(templates, name="templates")
app.add_typer(webhooks, name="webhooks")
app.add_typer(keys, name="keys")
app.add_typer(farm, name="farm")
app.add_typer(cluster, name="cluster")
app.command()(use)
app.command()(api)
app.command()(dispatch)


def main() -> NoReturn:
    """Run the command line: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    # A polite kill is an interrupt: everything unwinds, and nothing half-done stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status; errors are told in one line on standard error."""
    try:
        status = app(args=arguments or ["--help"], prog_name="midifarm", standalone_mode=False)
    except TyperException as exc:  # options and arguments that are missing or do not fit
        message = exc.format_message().rstrip(".").replace(": Value error, ", ": ")
        return _tell(f"{message}. Try: midifarm --help", exc.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _tell("Interrupted; what was not finished was not written.", 130)
    except CancelledError as exc:
        return _tell(exc.message, 130)
    except (InputError, StorageError) as exc:
        return _tell(exc.message, 2)
    except MidifarmError as exc:
        return _tell(exc.message, 1)
    return status if isinstance(status, int) else 0


def _tell(message: str, status: int) -> int:
    line = " ".join(message.split())
    print(f"midifarm: {line}", file=sys.stderr)  # noqa: T201
    return status
