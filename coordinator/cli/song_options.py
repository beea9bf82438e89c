"""The options that several commands share, and what they mean: the song and the range."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import InputError
from shared.timebase import parse_seconds

SongFile = Annotated[Path, typer.Argument(metavar="SONG.mid", help="The MIDI file.")]
AudioFile = Annotated[
    Path | None,
    typer.Option(
        help="Its recording (wav, mp3, flac, m4a, ogg, …). Without one the MIDI is "
        "played through a SoundFont."
    ),
]
SoundFontFile = Annotated[
    Path | None, typer.Option(help="The SoundFont to play it through; else one that is found.")
]
Start = Annotated[str, typer.Option(metavar="S", help="Where in the song it begins, s.")]
End = Annotated[str | None, typer.Option(metavar="S", help="Where in the song it ends, s.")]


def read_seconds(text: str, option: str) -> Fraction:
    """A time in the song. Raises InputError."""
    try:
        value = parse_seconds(text)
    except ValueError:
        raise InputError(f"{option} takes a time in seconds, such as 12.5, not {text!r}.") from None
    if value < 0:
        raise InputError(f"{option} cannot be before the song's beginning.")
    return value
