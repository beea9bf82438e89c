"""Measures how the time of a frame grows with the notes that are seen: a million in the song.

The default style in 1080p, on one core. Songs have the same million notes, played slower or faster,
so that more or fewer of them are on screen. Prints a table and writes ``build/bench-black.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from shared.plan import Picture, VideoSpec
from shared.styles import DEFAULT_STYLE, find_style
from tests.songs import SongFile
from workers.gl.context import open_context, renderer_name
from workers.midi import NoteTable, Song
from workers.renderer import Renderer

_NOTES: Final = 1_000_000
_VISIBLE: Final = (1_000, 5_000, 20_000, 50_000)
_FRAMES: Final = 5
_DRUMS: Final = 9
"""The channel that is percussion, which the default style leaves out."""


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--style", default=DEFAULT_STYLE)
    options = parser.parse_args()
    composition = find_style(options.style)
    seen_s = composition.stage.seconds_ahead + composition.stage.seconds_after
    rows: list[dict[str, float]] = []
    with open_context() as context:
        name = renderer_name(context)
        for visible in _VISIBLE:
            song = black_song(notes_per_s=visible / seen_s)
            video = VideoSpec(width=1920, height=1080, fps=Fraction(30), crf=18, profile="high")
            picture = Picture(
                composition=composition,
                song_key="",
                start_s=Fraction(song.end_s / 2).limit_denominator(1000),
                video=video,
            )
            began = time.perf_counter()
            renderer = Renderer(context, picture, song, Path)
            renderer.draw(0)
            context.finish()
            prepared_s = time.perf_counter() - began
            began = time.perf_counter()
            for frame in range(1, 1 + _FRAMES):
                renderer.draw(frame)
                context.finish()
            frame_ms = (time.perf_counter() - began) / _FRAMES * 1000
            rows.append({"visible": visible, "prepared_s": prepared_s, "frame_ms": frame_ms})
    table = Table("notes seen", "first frame, s", "a frame, ms", "µs a note", title=name)
    for row in rows:
        each = row["frame_ms"] / row["visible"] * 1000
        table.add_row(
            f"{row['visible']:,}",
            f"{row['prepared_s']:.2f}",
            f"{row['frame_ms']:.1f}",
            f"{each:.1f}",
        )
    Console().print(table)
    target = Path("build/bench-black.json")
    target.parent.mkdir(exist_ok=True)
    facts = {"renderer": name, "style": options.style, "notes": _NOTES, "rows": rows}
    target.write_text(json.dumps(facts, indent=2) + "\n")


def black_song(notes_per_s: float) -> Song:
    """A million notes on 88 keys in 15 parts, each 0.1 to 0.5 s long; no drums."""
    number = np.arange(_NOTES)
    start_s = number / notes_per_s
    part = number % 15
    part += part >= _DRUMS
    notes = NoteTable(
        start_s=start_s,
        end_s=start_s + 0.1 + 0.4 * (number * 7919 % 97) / 97,
        key=(21 + number * 37 % 88).astype(np.uint8),
        velocity=(40 + number * 31 % 80).astype(np.uint8),
        channel=part.astype(np.uint8),
        track=part.astype(np.uint16),
    )
    return replace(SongFile().note(0, 1, 60).song(), notes=notes, end_s=float(notes.end_s.max()))


if __name__ == "__main__":
    main()
