"""``midifarm presets``."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.export import ExportConfiguration
from shared.presets import PRESETS
from shared.styles import STYLES
from shared.templates import TEMPLATES


def presets(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the presets' configurations as one JSON object.")
    ] = False,
) -> None:
    """List the presets, the built-in styles and the templates."""
    if as_json:
        plain = {
            name: preset.model_dump(mode="json", by_alias=True) for name, preset in PRESETS.items()
        }
        typer.echo(json.dumps(plain, indent=2))
        return
    console = Console()
    table = Table("preset", "size", "fps", "picture", "sound", "takes", box=None)
    table.columns[0].no_wrap = True
    for name, preset in PRESETS.items():
        size = preset.quality.resolution
        table.add_row(
            name,
            f"{size.width}x{size.height}",
            str(preset.quality.framerate),
            _picture(preset),
            _sound(preset),
            _limits(preset),
        )
    console.print(table)
    for what, entries in (
        ("style", STYLES),
        ("template", {name: each.description for name, each in TEMPLATES.items()}),
    ):
        console.print()
        described = Table(what, "", box=None)
        for name, description in entries.items():
            described.add_row(name, description)
        console.print(described)


def _picture(preset: ExportConfiguration) -> str:
    quality = preset.quality
    parts = [f"{preset.format.container} {preset.format.picture}"]
    if quality.crf is not None:
        parts.append(f"crf {quality.crf}")
    if quality.bitrate is not None:
        parts.append(f"{'at most ' if quality.crf is not None else ''}{quality.bitrate} kbit/s")
    return ", ".join(parts)


def _sound(preset: ExportConfiguration) -> str:
    audio = preset.audio
    if not preset.has_sound:
        return "none"
    return f"{preset.format.sound} {audio.bitrate} kbit/s {audio.sample_rate / 1000:g} kHz"


def _limits(preset: ExportConfiguration) -> str:
    platform = preset.social_media
    if platform is None:
        return ""
    limits = [_size(platform.requirements.max_file_size)]
    if platform.max_duration is not None:
        limits.insert(0, _duration(platform.max_duration))
    return ", ".join(limits)


def _duration(seconds: float) -> str:
    for unit_s, name in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s and seconds % unit_s == 0:
            return f"{seconds / unit_s:g} {name}"
    return f"{seconds:g} s"


def _size(size_bytes: int) -> str:
    """As the platform writes it: in powers of ten where it is whole there."""
    units = (
        ((10**9, "GB"), (10**6, "MB"))
        if size_bytes % 10**6 == 0
        else ((1 << 30, "GiB"), (1 << 20, "MiB"))
    )
    unit, name = next((each for each in units if size_bytes >= each[0]), units[-1])
    return f"{size_bytes / unit:.4g} {name}"
