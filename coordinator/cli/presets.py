"""``midifarm presets``."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.presets import PRESETS
from shared.styles import STYLES


def presets(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the presets' configurations as one JSON object.")
    ] = False,
) -> None:
    """List the presets and the built-in styles."""
    console = Console()
    if as_json:
        plain = {
            name: preset.model_dump(mode="json", by_alias=True) for name, preset in PRESETS.items()
        }
        typer.echo(json.dumps(plain, indent=2))
        return
    table = Table("preset", "size", "fps", "video", "sound", "longest", box=None)
    for name, preset in PRESETS.items():
        quality, audio, platform = preset.quality, preset.audio, preset.social_media
        longest = platform.max_duration if platform else None
        table.add_row(
            name,
            f"{quality.resolution.width}x{quality.resolution.height}",
            str(quality.framerate),
            f"{preset.format.video_codec} crf {quality.crf}, at most {quality.bitrate} kbit/s",
            f"{preset.format.audio_codec} {audio.bitrate} kbit/s {audio.sample_rate / 1000:g} kHz",
            f"{longest:g} s" if longest else "",
        )
    console.print(table)
    console.print()
    styles = Table("style", "", box=None)
    for name, description in STYLES.items():
        styles.add_row(name, description)
    console.print(styles)
