"""Measures how fast each built-in style is drawn and read back, in 1080p and in 4K.

One process a core where a processor draws, all at the same time; a single one where a GPU does.
The song is dense (sixteen notes a second), the style has a cover, a title and a sound to follow.
Nothing is encoded. Prints a table and writes ``build/bench-styles.json``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console
from rich.table import Table

from shared.dressing import Dressing, dress
from shared.plan import Picture, VideoSpec
from shared.settings import usable_cores
from shared.styles import DEFAULT_STYLE, STYLES, find_style
from tests.bench.etude import write_etude
from workers.gl.context import is_software, open_context, renderer_name
from workers.hearing import Hearing
from workers.midi import read_midi
from workers.renderer import Renderer

_SONG_S: Final = 30
_FPS: Final = Fraction(30)
_FIRST: Final = 12 * 30
"""Frame from which on is measured: well inside the music."""
_WARM_UP: Final = 5
"""Frames drawn before: drivers compile for what they first meet."""
_SIZES: Final = {"1080p": (1920, 1080), "2160p": (3840, 2160)}
_WANTED: Final = {"default": 60.0, "others": 15.0}
"""Frames a second in 1080p on two cores without a GPU; in 4K a quarter."""

_barrier: Barrier


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    style: str
    size: tuple[int, int]
    frames: int
    folder: Path


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("styles", nargs="*", help="Only these styles.")
    parser.add_argument("--frames", type=int, default=60, help="Frames of 1080p; a sixth in 4K.")
    options = parser.parse_args()
    with open_context() as context:
        renderer, software = renderer_name(context), is_software(context)
    processes = usable_cores() if software else 1
    frames = options.frames if software else 10 * options.frames
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="midifarm-measure-") as name:
        folder = Path(name)
        write_etude(folder / "etude.mid", _SONG_S)
        Image.linear_gradient("L").convert("RGB").resize((512, 512)).save(folder / "cover.png")
        for style in options.styles or STYLES:
            found[style] = {
                label: _measure(
                    _Task(
                        style=style,
                        size=size,
                        frames=frames if label == "1080p" else max(2, frames // 6),
                        folder=folder,
                    ),
                    processes,
                )
                for label, size in _SIZES.items()
            }
    _tell(found, renderer, processes)


def _measure(task: _Task, processes: int) -> float:
    """Frames a second of all processes together."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, context, initializer=_set_barrier, initargs=(context.Barrier(processes),)
    ) as pool:
        taken_s = list(pool.map(_draw, [task] * processes))
    return task.frames * processes / max(taken_s)


def _set_barrier(barrier: Barrier) -> None:
    """Remember the barrier; it can only be handed to a process at its birth."""
    global _barrier
    _barrier = barrier


def _draw(task: _Task) -> float:
    """Seconds that drawing and reading back take; all processes begin together."""
    song = read_midi((task.folder / "etude.mid").read_bytes())
    composition = dress(
        find_style(task.style),
        Dressing(title="Étude", artist="midifarm", cover=str(task.folder / "cover.png")),
    )
    width, height = task.size
    video = VideoSpec(width=width, height=height, fps=_FPS, crf=18, profile="high")
    picture = Picture(composition=composition, song_key="", start_s=Fraction(0), video=video)
    hearing = Hearing.from_notes(song.notes, song.end_s) if composition.listens else None
    with open_context() as context:
        renderer = Renderer(context, picture, song, Path, hearing=hearing)
        for _ in renderer.frames(range(_FIRST, _FIRST + _WARM_UP)):
            pass
        _barrier.wait(600)
        began = time.perf_counter()
        for _ in renderer.frames(range(_FIRST, _FIRST + task.frames)):
            pass
        return time.perf_counter() - began


def _tell(found: dict[str, dict[str, float]], renderer: str, processes: int) -> None:
    table = Table("style", *_SIZES, "wanted in 1080p", title=f"frames a second, {renderer}")
    for style, rates in found.items():
        wanted = _WANTED["default" if style == DEFAULT_STYLE else "others"]
        table.add_row(style, *(f"{rate:.1f}" for rate in rates.values()), f"{wanted:.0f}")
    Console().print(table)
    target = Path("build/bench-styles.json")
    target.parent.mkdir(exist_ok=True)
    rounded = {
        style: {label: round(rate, 2) for label, rate in rates.items()}
        for style, rates in found.items()
    }
    facts = {"renderer": renderer, "processes": processes, "frames_per_s": rounded}
    target.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
