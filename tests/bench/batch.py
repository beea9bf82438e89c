"""Measures what a batch over many presets saves: one call for all of them against one for each.

``python -m tests.bench.batch [--song SONG.mid] [--seconds S] [--preset NAME …]``. Every call has an
empty store of its own, so that nothing is found in it. What a call costs before it renders is
measured too, with the smallest video, and taken off both sides in the second line: what is left is
saved by drawing equal pictures once, by measuring the sound once, and by leaving no core idle.

Prints a table and writes ``build/bench-batch.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from shared.presets import PRESETS
from tests.bench.etude import write_recording

ROOT: Final = Path(__file__).parents[2]
DEMO: Final = ROOT / "deploy" / "demo" / "prelude.py"
"""A real piece: Bach's Prelude in C."""
TOO_LARGE: Final = ("youtube_4k",)
"""It would cost as much as all the others together, and hide what they save."""
MOST: Final = 0.85
"""What a batch may cost of the sum of its parts."""


def main() -> None:
    """Measure and tell; the exit status is 1 where a batch costs too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--song", type=Path, help="A MIDI file; Bach's Prelude in C without it.")
    parser.add_argument("--seconds", type=int, default=8, help="How much of it.")
    parser.add_argument("--preset", nargs="*", help="All but 4K without it.")
    options = parser.parse_args()
    presets = options.preset or [name for name in PRESETS if name not in TOO_LARGE]
    with tempfile.TemporaryDirectory(prefix="midifarm-batch-") as name:
        folder = Path(name)
        song = options.song
        if song is None:
            song = folder / "prelude.mid"
            subprocess.run([sys.executable, str(DEMO), str(song)], check=True, cwd=ROOT)
        recording = folder / "recording.wav"
        write_recording(recording, options.seconds)
        common = [str(song), "--audio", str(recording), "--end", str(options.seconds)]
        smallest = ["--size", "64x36", "--fps", "10", "--no-audio", "--end", "1"]
        start = [str(song), "--preset", "custom", *smallest]
        before_s = call(folder, "before", start)
        parts_s = {
            preset: call(folder, preset, [*common, "--preset", preset]) for preset in presets
        }
        together = [option for preset in presets for option in ("--preset", preset)]
        batch_s = call(folder, "batch", [*common, *together])
        # A machine's speed drifts; what another user takes of it is no cost of ours.
        start_s = min(before_s, call(folder, "after", start))
    report(options.seconds, start_s, parts_s, batch_s)


def call(folder: Path, name: str, arguments: Sequence[str]) -> float:
    """Seconds that a render takes, from its start to its end."""
    target = folder / name
    target.mkdir()
    # One preset names a file, several a folder.
    several = arguments.count("--preset") > 1
    output = target if several else target / "video.mp4"
    command = [sys.executable, "-c", "from coordinator.cli import main; main()", "render"]
    began_s = time.perf_counter()
    done = subprocess.run(
        [*command, *arguments, "-o", str(output), "--json"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MIDIFARM_DATA_DIR": str(target / "data"),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{name} failed: {done.stderr}")
    return time.perf_counter() - began_s


def report(seconds: int, start_s: float, parts_s: dict[str, float], batch_s: float) -> None:
    """Print the table, and write the figures."""
    table = Table("", "s", title=f"{seconds} s of a song, {len(parts_s)} presets")
    for preset, part_s in parts_s.items():
        table.add_row(preset, f"{part_s:.1f}")
    sum_s = sum(parts_s.values())
    work_s = sum_s - len(parts_s) * start_s
    figures = {
        "start_s": start_s,
        "sum_s": sum_s,
        "batch_s": batch_s,
        "ratio": batch_s / sum_s,
        "ratio_without_start": (batch_s - start_s) / work_s,
    }
    table.add_section()
    for name, figure in figures.items():
        table.add_row(name, f"{figure:.3f}" if "ratio" in name else f"{figure:.1f}")
    Console().print(table)
    target = Path("build/bench-batch.json")
    target.parent.mkdir(exist_ok=True)
    plain = {"seconds": seconds, "parts_s": parts_s, **figures}
    target.write_text(json.dumps(plain, indent=2) + "\n")
    if figures["ratio"] > MOST:
        sys.exit(
            f"A batch costs {figures['ratio']:.0%} of the sum of its parts; {MOST:.0%} is asked."
        )


if __name__ == "__main__":
    main()
