"""``midifarm templates``: branding with a name, kept by a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from coordinator.branding import branding_uses, is_address, with_names
from coordinator.cli.options import with_settings
from coordinator.cli.printing import AsJson, print_json
from coordinator.cli.session import open_client
from coordinator.cli.tables import cell, id_column
from coordinator.client import Client, Template
from coordinator.settings import ClientSettings
from shared.branding import Branding
from shared.composition import describe
from shared.errors import CompositionError, InputError

templates = typer.Typer(
    help="Keep watermarks and end cards under a name.", no_args_is_help=True, add_completion=False
)

TemplateId = Annotated[
    str, typer.Argument(metavar="ID", help="The template's id, perhaps with a version: ID@2.")
]
BrandingFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.json",
        help='Watermark and end card: {"watermark": …, "endCard": …}. Images and fonts by a path '
        "beside the file, an asset id or an https address.",
    ),
]
Description = Annotated[str, typer.Option(help="What it is good for.")]


@templates.command("list")
@with_settings(ClientSettings)
def list_templates(settings: ClientSettings, as_json: AsJson = False) -> None:
    """List the built-in templates and your own."""
    with open_client(settings) as client:
        found = client.templates()
    if as_json:
        print_json({"templates": [each.model_dump(mode="json") for each in found]})
        return
    table = Table(id_column(), "version", "name", "", box=None)
    for each in found:
        version = "built in" if each.built_in else str(each.version)
        table.add_row(each.id, version, cell(each.name), cell(each.description))
    Console().print(table)


@templates.command()
@with_settings(ClientSettings)
def show(settings: ClientSettings, template_id: TemplateId) -> None:
    """Print a template as JSON."""
    with open_client(settings) as client:
        found = client.template(template_id)
    sys.stdout.write(json.dumps(found.model_dump(mode="json"), indent=2) + "\n")


@templates.command()
@with_settings(ClientSettings)
def create(
    settings: ClientSettings,
    file: BrandingFile,
    name: Annotated[str | None, typer.Option(help="Its name; the file's if not given.")] = None,
    description: Description = "",
    replace: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Make it a new version of that template of yours."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep branding under a name; the id that is printed names it."""
    branding = _read(file)
    with open_client(settings) as client:
        plain = _uploaded(client, branding, file.parent)
        title = name or file.stem
        if replace is None:
            made = client.create_template(title, plain, description=description)
        else:
            made = client.revise_template(replace, title, plain, description=description)
    _tell(made, as_json=as_json)


@templates.command()
@with_settings(ClientSettings)
def delete(
    settings: ClientSettings,
    template_id: Annotated[str, typer.Argument(metavar="ID", help="The template's id.")],
) -> None:
    """Delete a template of yours; exports keep what it was."""
    with open_client(settings) as client:
        client.delete_template(template_id)
    typer.echo(f"{template_id} is deleted.")


def _read(file: Path) -> Branding:
    try:
        whole = json.loads(file.read_bytes())
    except OSError as exc:
        raise InputError(f"{file} cannot be read: {exc.strerror or exc}.") from exc
    except ValueError as exc:
        raise CompositionError(f"{file.name} is no JSON: {exc}.") from exc
    # What `templates show` prints is taken too.
    plain = whole.get("branding", whole) if isinstance(whole, dict) else whole
    try:
        return Branding.model_validate(plain)
    except ValidationError as exc:
        raise CompositionError(f"{file.name} is no branding: {describe(exc)}.") from exc


def _uploaded(client: Client, branding: Branding, folder: Path) -> dict[str, Any]:
    """Branding as the server takes it, its files uploaded and named by asset ids."""
    names = {
        use.asset_id: client.upload(folder / use.asset_id, kind=use.kind).id
        for use in branding_uses(branding, "")
        if not is_address(use.asset_id) and (folder / use.asset_id).is_file()
    }
    return with_names(branding, names).model_dump(mode="json", by_alias=True)


def _tell(made: Template, *, as_json: bool) -> None:
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        typer.echo(f"{made.id}@{made.version}")
