"""``midifarm formats``."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.codecs import CODEC_NAMES, CODECS, CONTAINERS


def formats(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the file formats, the codecs that go into each, and what each codec can hold."""
    if as_json:
        plain = {
            "containers": {
                name: {"video": facts.video, "audio": facts.audio, "media_type": facts.media_type}
                for name, facts in CONTAINERS.items()
            },
            "codecs": {
                name: {
                    "pixel_formats": dict(facts.profiles),
                    "crf": facts.crf,
                    "default_crf": facts.default_crf if facts.crf else None,
                }
                for name, facts in CODECS.items()
            },
        }
        typer.echo(json.dumps(plain))
        return
    console = Console()
    containers = Table("format", "picture", "sound", box=None)
    for name, facts in CONTAINERS.items():
        containers.add_row(name, ", ".join(facts.video), ", ".join(facts.audio))
    console.print(containers)
    console.print()
    codecs = Table("codec", "", "crf", "pixel formats, and their profiles", box=None)
    for codec, held in CODECS.items():
        scale = f"{held.crf[0]}-{held.crf[1]}, {held.default_crf} if not given" if held.crf else ""
        pixels = [
            f"{pixel_format} ({', '.join(profiles)})" if profiles else pixel_format
            for pixel_format, profiles in held.profiles.items()
        ]
        codecs.add_row(codec, CODEC_NAMES[codec], scale, ", ".join(pixels))
    console.print(codecs)
